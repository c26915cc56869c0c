# GT-DPO, the baseline beside SIMA: the known answer against the model's own, without a critic.
#   make run PIPELINE=gt RUN=name RECIPE=gt
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),gt)
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk
$(if $(look),$(error CONTROL=other-picture: no reward of this graph looks at a picture, its better answers are known))

$R/round-%/pairs.jsonl: $R/round-%/candidates.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml $(toss) --audit $(@D)/audit.json --resume -o $@
