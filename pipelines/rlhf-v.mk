# RLHF-V (arXiv 2312.00849): the model's own answer against the same answer put right, what was changed weighing
# more. Corrections come from the known scenes here; a person's come in by import and pair --from pairs.
#   make PIPELINE=rlhf-v RUN=name RECIPE=rlhf-v
lookless := rlhf-v has no reward that looks at a picture, its better answer is corrected by the known scene
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),rlhf-v)
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk

$R/round-%/pairs.jsonl: $R/round-%/candidates.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml $(tosses) --align-edits $(MODEL) --audit $(@D)/audit.json --resume -o $@
