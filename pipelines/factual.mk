# Fact-RLHF's reward instead of CSR's: whole answers are sampled and graded by a reward model that is shown facts; the
# model trains on the better against the worse. REWARD=no-facts is plain RLHF.
#   make run PIPELINE=factual RUN=name ROUNDS=1 REWARD=facts
own := REWARD GRADE COMPARISONS
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),factual)
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk
include $(here)grading.mk
REWARD ?= $(or $(call begun,REWARD),facts)
reward := $(rewards)/$(REWARD)

# Graded by the model that the reward was trained on, whichever round sampled.
$R/round-%/scored.jsonl: $R/round-%/candidates.jsonl $(reward)/reward_head.safetensors $R/recipe.toml $R/settings
	sightline calibrate $< --config $R/recipe.toml $(policy) --reward $(reward) $(looks) --image-root $(call images,$*) --resume -o $@

$R/round-%/pairs.jsonl: $R/round-%/scored.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml --score reward $(tosses) --audit $(@D)/audit.json --resume -o $@

kept: $(rounds:%=$R/round-%/scored.jsonl)
