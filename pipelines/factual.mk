# The reward of Fact-RLHF in the place of CSR's: answers are drawn whole and graded by a reward model that has
# facts before its eyes; the model trains on the better against the worse. REWARD=no-facts is plain RLHF's.
#   make run PIPELINE=factual RUN=name ROUNDS=1 REWARD=facts
own := REWARD GRADE COMPARISONS
RECIPE ?= $(or $(wildcard runs/$(RUN)/recipe.toml),factual)
include $(dir $(lastword $(MAKEFILE_LIST)))rounds.mk
include $(here)grading.mk
REWARD ?= $(or $(call begun,REWARD),facts)
reward := $(rewards)/$(REWARD)

# Graded on the model that the reward was trained on, whatever round drew.
$R/round-%/scored.jsonl: $R/round-%/candidates.jsonl $(reward)/reward_head.safetensors $R/recipe.toml $R/settings
	sightline calibrate $< --config $R/recipe.toml $(policy) --reward $(reward) $(looks) --image-root $(call images,$*) --resume -o $@

$R/round-%/pairs.jsonl: $R/round-%/scored.jsonl $R/recipe.toml
	sightline pair $< --config $R/recipe.toml --score reward $(tosses) --audit $(@D)/audit.json --resume -o $@

kept: $(rounds:%=$R/round-%/scored.jsonl)
