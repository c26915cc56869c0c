# GT-DPO, the baseline beside SIMA: the known answer against the model's own, without a critic.
#   make run PIPELINE=gt RUN=name RECIPE=gt
lookless := gt has no reward that looks at a picture, its better answers are known
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),gt)
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk

$R/round-%/pairs.jsonl: $R/round-%/candidates.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml $(tosses) --audit $(@D)/audit.json --resume -o $@
