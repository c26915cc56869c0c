# Reward models: the policy's own answers about known pictures, compared by their truth, teach it to grade. A graph
# includes this after rounds.mk and asks for $R/reward/facts/reward_head.safetensors, or that of no-facts.
#   COMPARISONS=n pictures  GRADE=file how a grade is asked for
COMPARISONS ?= 3000
GRADE ?= $(or $(call begun,GRADE),$(home)data/prompts/grade$(short).txt)
known := $R/scenes/known

# Pictures that neither the models nor the rounds see.
$(known)/prompts.jsonl:
	sightline scenes --split train --start 2000000 --count $(COMPARISONS) --kind prompts -o $(@D)

$R/reward/candidates.jsonl: $(known)/prompts.jsonl $R/recipe.toml $R/settings $(weights)
	@mkdir -p $(@D)
	sightline sample $< --config $R/recipe.toml $(policy) --image-root $(known) --resume -o $@

$R/reward/pairs.jsonl: $R/reward/candidates.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml --score truth --keep-fraction 1 --pairs 4 --resume -o $@

$R/reward/%/reward_head.safetensors: $R/reward/pairs.jsonl $R/recipe.toml $(GRADE)
	sightline reward-train $< --config $R/recipe.toml $(policy) --$* --prompt-file $(GRADE) $(look) \
		--image-root $(known) --resume -o $(@D)

.SECONDARY: $(foreach name,facts no-facts,$R/reward/$(name)/reward_head.safetensors)
