# Reward models: the policy learns to grade from its own answers about known pictures, compared by their truth. A graph
# includes this after rounds.mk and depends on $(rewards)/facts/reward_head.safetensors, or on that of no-facts. A
# control uses the comparisons of its run, and its reward models too where they look at the same pictures.
#   COMPARISONS=n  number of pictures  GRADE=file  text that asks for a grade
$(if $(DATA),$(error DATA=$(DATA): reward models learn from drawn pictures, whose scenes are known; leave it out))
COMPARISONS ?= 3000
GRADE ?= $(or $(call begun,GRADE),$(home)data/prompts/grade$(short).txt)
known := $P/scenes/known
rewards := $(if $(looks),$R,$P)/reward

# Pictures that neither the models nor the rounds see.
$(known)/prompts.jsonl:
	sightline scenes --split train --start 500000 --count $(COMPARISONS) --kind prompts -o $(@D)

$P/reward/candidates.jsonl: $(known)/prompts.jsonl $P/recipe.toml $P/settings $(weights)
	@mkdir -p $(@D)
	sightline sample $< --config $P/recipe.toml $(policy) --image-root $(known) --resume -o $@

$P/reward/pairs.jsonl: $P/reward/candidates.jsonl $P/recipe.toml
	sightline pair $< --config $P/recipe.toml --score truth --keep-fraction 1 --pairs 4 --resume -o $@

$(rewards)/%/reward_head.safetensors: $P/reward/pairs.jsonl $P/recipe.toml $(GRADE)
	@mkdir -p $(rewards)
	sightline reward-train $< --config $P/recipe.toml $(policy) --$* --prompt-file $(GRADE) $(looks) \
		--image-root $(known) --resume -o $(@D)

.SECONDARY: $(foreach name,facts no-facts,$(rewards)/$(name)/reward_head.safetensors)
