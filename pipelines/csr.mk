# Calibrated self-rewarding (CSR): the model draws trees of answers, each sentence is rewarded by how likely it
# is and how well it fits the picture, and the model trains on its best answer against its worst.
#   make csr RUN=name ROUNDS=3 RECIPE=default
#   BASELINE=file  pictures whose mean is subtracted from a sentence's relevance; drawn if a recipe has baseline-nearest
own := RELEVANCE BASELINE
drawn-prompts := 4000
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),$(if $(DATA),own,default))
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk

pool := $P/scenes/pool/prompts.jsonl
BASELINE ?= $(or $(filter-out $(pool) $(DATA),$(call begun,BASELINE)),$(if $(call says,baseline-nearest),$(or $(DATA),$(pool))))
base := $(if $(BASELINE),--relevance-baseline $(BASELINE) --baseline-root $(or $(if $(filter $(DATA),$(BASELINE)),$(IMAGES)),$(dir $(BASELINE))))

# The trees are steered by it too, unless the recipe says otherwise.
reward := --relevance $(RELEVANCE) $(base) $(looks)
draw := $(if $(filter-out "reward",$(word 3,$(call says,steer-by))),,$(reward))
$(foreach file,$(if $(draw),candidates) scored,$(rounds:%=$R/round-%/$(file).jsonl)): $(wildcard $(RELEVANCE)/*.safetensors) $(BASELINE)

# Pictures that neither the models nor the rounds see.
$(pool):
	sightline scenes --split train --start 900000 --count 1024 --kind prompts -o $(@D)

$R/round-%/scored.jsonl: $R/round-%/candidates.jsonl $R/recipe.toml
	sightline calibrate $< --config $R/recipe.toml $(arithmetic) $(reward) --image-root $(call images,$*) --resume -o $@

$R/round-%/pairs.jsonl: $R/round-%/scored.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml $(tosses) --audit $(@D)/audit.json --resume -o $@

kept: $(rounds:%=$R/round-%/scored.jsonl)
