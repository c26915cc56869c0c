# SIMA (arXiv 2405.15973): the model answers greedily and by sampling, is shown both answers beside the known one, and
# trains on the one that it finds better itself.
#   make run PIPELINE=sima RUN=name ROUNDS=3 RECIPE=sima
#   CRITIC=file  text that asks the critic
#   CRITIC_ADAPTER=folder  an adapter over MODEL that has learned to judge; the included model has one
own := CRITIC CRITIC_ADAPTER
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),sima)
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk
CRITIC ?= $(or $(call begun,CRITIC),$(home)data/prompts/critic$(short).txt)
CRITIC_ADAPTER ?= $(or $(call begun,CRITIC_ADAPTER),$(if $(short),$(home)data/critic))

$R/round-%/judged.jsonl: $R/round-%/candidates.jsonl $(CRITIC) $(wildcard $(CRITIC_ADAPTER)/adapter_*) $R/recipe.toml
	sightline self-critic $< --config $R/recipe.toml $(call policy,$(call before,$*)) --prompt-file $(CRITIC) $(looks) \
		$(if $(CRITIC_ADAPTER),--critic-adapter $(CRITIC_ADAPTER)) --image-root $(call images,$*) --resume -o $@

$R/round-%/pairs.jsonl: $R/round-%/judged.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml $(tosses) --audit $(@D)/audit.json --resume -o $@

kept: $(rounds:%=$R/round-%/judged.jsonl)
