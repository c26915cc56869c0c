# RLHF-V (arXiv 2312.00849): the model's own answer against its corrected version, in which what was changed weighs
# more. Here corrections come from the known scenes; your own are pairs in DATA, with the corrected answer chosen.
#   make PIPELINE=rlhf-v RUN=name RECIPE=rlhf-v
#   make PIPELINE=rlhf-v RUN=name DATA=corrections.jsonl   lines of image, prompt, chosen, rejected
lookless := rlhf-v has no reward that looks at a picture, its better answers are corrected by the known scene
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),rlhf-v)
made = $(if $(DATA),,candidates) pairs
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk

$R/round-%/pairs.jsonl: $(or $(DATA),$R/round-%/candidates.jsonl) $R/recipe.toml
	@mkdir -p $(@D)
	sightline pair $< --config $R/recipe.toml $(if $(DATA),--from pairs $(limit)) $(tosses) --align-edits $(MODEL) \
		--audit $(@D)/audit.json --resume -o $@
