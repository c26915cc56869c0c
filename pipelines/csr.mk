# Calibrated self-rewarding (CSR): the model draws trees of answers, each sentence is rewarded by how likely it
# is and how well it fits the picture, and the model trains on its best answer against its worst.
#   make csr RUN=name ROUNDS=3 RECIPE=default
#   BASELINE=file  records of pictures whose mean is taken off a sentence's relevance; pool: 256 scenes drawn for it
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk

BASELINE ?= $(call begun,BASELINE)
pool := $(if $(filter pool,$(BASELINE)),$R/scenes/pool/prompts.jsonl,$(BASELINE))
relevance = --relevance $(RELEVANCE) $(if $(pool),--relevance-baseline $(pool) --baseline-root $(dir $(pool))) $(look)

# The trees are steered by the reward.
draw = $(relevance)
$(foreach file,candidates scored,$(rounds:%=$R/round-%/$(file).jsonl)): $(wildcard $(RELEVANCE)/*.safetensors) $(pool)

# Training scenes that neither the models nor the rounds see.
$R/scenes/pool/prompts.jsonl:
	sightline scenes --split train --start 3000000 --count 256 --kind prompts -o $(@D)

$R/round-%/scored.jsonl: $R/round-%/candidates.jsonl $R/recipe.toml
	sightline calibrate $< --config $R/recipe.toml $(relevance) --image-root $(prompts) --resume -o $@

$R/round-%/pairs.jsonl: $R/round-%/scored.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml $(toss) --audit $(@D)/audit.json --resume -o $@

kept: $(rounds:%=$R/round-%/scored.jsonl)
