# Calibrated self-rewarding (CSR): the model draws trees of answers, each sentence is rewarded by how likely it
# is and how well it fits the picture, and the model trains on its best answer against its worst.
#   make csr RUN=name ROUNDS=3 RECIPE=default
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk

# The trees are steered by the reward.
draw = --relevance $(RELEVANCE) $(look)
$(foreach file,candidates scored,$(rounds:%=$R/round-%/$(file).jsonl)): $(wildcard $(RELEVANCE)/*.safetensors)

$R/round-%/scored.jsonl: $R/round-%/candidates.jsonl $R/recipe.toml
	sightline calibrate $< --config $R/recipe.toml --relevance $(RELEVANCE) $(look) --image-root $(prompts) --resume -o $@

$R/round-%/pairs.jsonl: $R/round-%/scored.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml $(toss) --audit $(@D)/audit.json --resume -o $@

kept: $(rounds:%=$R/round-%/scored.jsonl)
