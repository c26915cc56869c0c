# Calibrated self-rewarding (CSR): the model draws trees of answers, each sentence is rewarded by how likely it
# is and how well it fits the picture, and the model trains on its best answer against its worst.
#   make csr RUN=name ROUNDS=3 RECIPE=default
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk

# Round k draws with the model of round k - 1, on the same prompts in every round.
$R/round-%/candidates.jsonl: $(prompts)/prompts.jsonl $R/recipe.toml $(weights) $$(call adapters,$$(call before,$$*))
	@mkdir -p $(@D)
	sightline sample $< --config $R/recipe.toml $(call policy,$(call before,$*)) --relevance $(RELEVANCE) \
		--image-root $(prompts) --resume -o $@

$R/round-%/scored.jsonl: $R/round-%/candidates.jsonl $R/recipe.toml
	sightline calibrate $< --config $R/recipe.toml --relevance $(RELEVANCE) --image-root $(prompts) --resume -o $@

$R/round-%/pairs.jsonl: $R/round-%/scored.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml --audit $(@D)/audit.json --resume -o $@

# The reference is the model that drew: the adapters of the rounds before stay folded in under the new one.
$R/round-%/adapter/adapter_model.safetensors: $R/round-%/pairs.jsonl $R/recipe.toml
	sightline dpo-train $< --config $R/recipe.toml $(call policy,$(call before,$*)) --image-root $(prompts) \
		--resume -o $(@D)

kept: $(foreach file,candidates scored pairs,$(rounds:%=$R/round-%/$(file).jsonl))
