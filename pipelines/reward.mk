# Two reward models, with facts and without: on answers about pictures that neither has seen, their accuracy on pairs,
# and the reward and the inventions of the best of 8.
#   make run PIPELINE=reward RUN=name TEST=600
own := GRADE COMPARISONS
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),factual)
.DEFAULT_GOAL := compared
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk
include $(here)grading.mk
unseen := $P/scenes/unseen
$(if $(tosses),$(error CONTROL=random-pairs: the graph reward trains on no preferences; use CONTROL=other-picture))

.PHONY: compared
compared: $R/rewards.txt
	@cat $<

$(unseen)/prompts.jsonl:
	sightline scenes --split test --count $(TEST) --kind prompts -o $(@D)

$R/unseen/candidates.jsonl: $(unseen)/prompts.jsonl $R/recipe.toml $(weights)
	@mkdir -p $(@D)
	sightline sample $< --config $R/recipe.toml $(policy) --image-root $(unseen) --resume -o $@

$R/unseen/%.jsonl: $R/unseen/candidates.jsonl $(rewards)/%/reward_head.safetensors $R/recipe.toml
	sightline calibrate $< --config $R/recipe.toml $(policy) --reward $(rewards)/$* $(looks) --image-root $(unseen) --resume -o $@

$R/rewards.txt: $R/unseen/no-facts.jsonl $R/unseen/facts.jsonl
	sightline eval rewards $(foreach name,no-facts facts,$(name)=$R/unseen/$(name).jsonl) -o $(@:.txt=.json) >$@
