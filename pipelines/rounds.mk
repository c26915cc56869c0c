# What every stage graph shares: a run's folder, its recipe and scenes, and its rounds, each of which draws answers,
# trains on pairs and is scored. A graph includes this and says how pairs come of what was drawn.
#   RUN=name  ROUNDS=n (next: one more than there are)  RECIPE=name or file  PROMPTS=n  TEST=n
#   CONTROL=other-picture (rewards look at another picture) or random-pairs (a coin says which answer is chosen)
# A run keeps what it began with: its graph and scenes and, unless another is typed, its recipe and settings.
# RUN=name/controls/kind is a control of the run name: it shares that run's scenes, base and, untyped, settings.
.DELETE_ON_ERROR:
.SECONDEXPANSION:
unexport OPENBLAS_CORETYPE  # stages run on the core that OpenBLAS finds

here := $(dir $(lastword $(MAKEFILE_LIST)))
home := $(patsubst %pipelines/,%,$(here))
R := runs/$(RUN)
P := runs/$(firstword $(subst /controls/, ,$(RUN)))
ROUNDS ?= 1
PROMPTS ?= 600
TEST ?= 500
settings := MODEL RELEVANCE BASELINE CRITIC CRITIC_ADAPTER GRADE REWARD CONTROL
begun = $(lastword $(shell sed -n 's/^$1=//p' $P/settings $R/settings 2>/dev/null))
graph := $(basename $(notdir $(firstword $(MAKEFILE_LIST))))
other := $(filter-out $(graph),$(call begun,GRAPH))
$(if $(other),$(error run $(RUN) is of the graph $(other); say PIPELINE=$(other) or another RUN))
MODEL ?= $(or $(call begun,MODEL),$(home)data/llava)
RELEVANCE ?= $(or $(call begun,RELEVANCE),$(home)data/clip)
RECIPE ?= $(or $(wildcard $R/recipe.toml),default)
recipe := $(if $(findstring /,$(RECIPE)),$(RECIPE),$(here)recipes/$(RECIPE).toml)
rounds := $(if $(filter next,$(ROUNDS)),$(shell seq $(words next $(wildcard $R/round-*/adapter))),$(shell seq $(ROUNDS)))

# A graph without a reward that looks at a picture says so in lookless.
CONTROL ?= $(call begun,CONTROL)
looks := $(if $(filter other-picture,$(CONTROL)),--picture other)
tosses := $(if $(filter random-pairs,$(CONTROL)),--order random)
changed := $(if $(wildcard $R/round-1/candidates.jsonl),$(filter-out $(call begun,CONTROL),$(CONTROL)))
$(if $(changed),$(error CONTROL=$(changed): run $(RUN) began without it; say another RUN, or make controls RUN=$(RUN)))
$(if $(word 2,$(CONTROL))$(filter-out other-picture random-pairs,$(CONTROL)),$(error CONTROL=$(CONTROL): say other-picture or random-pairs))
$(if $(and $(looks),$(lookless)),$(error CONTROL=other-picture: $(lookless); say CONTROL=random-pairs))

# Rounds up to k, rounds before k; the files of their adapters; the model with their adapters folded in.
until = $(wordlist 1,$1,$(rounds))
before = $(filter-out $1,$(call until,$1))
adapters = $(patsubst %,$R/round-%/adapter/adapter_model.safetensors,$1)
weights := $(wildcard $(MODEL)/*.safetensors)
policy = --model $(MODEL) $(patsubst %,--adapter $R/round-%/adapter,$1)

# The model that comes along has seen too few words to read a long prompt.
short := $(if $(filter $(home)data/llava,$(MODEL)),-short)

prompts = $P/scenes/round-$1
test := $P/scenes/test
exam = --captions $(test)/prompts.jsonl --mme $(test)/mme.jsonl --image-root $(test) \
	--pope $(addprefix $(test)/pope_,random.jsonl popular.jsonl adversarial.jsonl)

.PHONY: scored kept FORCE
scored: $R/table.txt
	@cat $<

# Make removes what only lies between, unless it is mentioned somewhere.
kept: $(call adapters,$(rounds)) $(foreach file,candidates pairs,$(rounds:%=$R/round-%/$(file).jsonl)) \
	$(rounds:%=$P/scenes/round-%/prompts.jsonl)

# Both are noticed by content: a recipe with other words, another model has what follows made anew.
$R/settings: FORCE
	@mkdir -p $R
	@printf '%s\n' GRAPH=$(graph) $(foreach name,$(settings),$(if $($(name)),$(name)=$($(name)))) >$@.new
	@install -C -m 644 $@.new $@
	@rm $@.new

$R/recipe.toml: $(if $(filter $R/recipe.toml,$(recipe)),,FORCE)
	install -D -C -m 644 $(recipe) $@

# Training scenes that the models never saw: theirs are numbered from 0, round k's from k millions. Each round has its
# own, because what is learned by heart on one picture helps on no other.
$P/scenes/round-%/prompts.jsonl:
	sightline scenes --split train --start $*000000 --count $(PROMPTS) --kind prompts -o $(@D)

$(test)/prompts.jsonl:
	sightline scenes --split test --count $(TEST) -o $(@D)

# Round k draws with the model of round k - 1.
$R/round-%/candidates.jsonl: $P/scenes/round-%/prompts.jsonl $R/recipe.toml $R/settings $(weights) $$(call adapters,$$(call before,$$*))
	@mkdir -p $(@D)
	sightline sample $< --config $R/recipe.toml $(call policy,$(call before,$*)) $(draw) \
		--image-root $(<D) --resume -o $@

# The reference is the model that drew: the adapters of the rounds before stay folded in under the new one.
$R/round-%/adapter/adapter_model.safetensors: $R/round-%/pairs.jsonl $R/recipe.toml
	sightline dpo-train $< --config $R/recipe.toml $(call policy,$(call before,$*)) --image-root $(call prompts,$*) \
		--resume -o $(@D)

$P/base/eval/scores.json: $P/recipe.toml $P/settings $(test)/prompts.jsonl $(weights)
	@mkdir -p $P/base
	sightline eval --config $< --model $(MODEL) $(exam) -o $(@D)
	sightline ledger round $(P:runs/%=%) 0 $(MODEL)

$R/round-%/eval/scores.json: $R/recipe.toml $(test)/prompts.jsonl $$(call adapters,$$(call until,$$*))
	sightline eval --config $< $(call policy,$(call until,$*)) $(exam) -o $(@D)
	sightline ledger round $(RUN) $* $R/round-$*/adapter

$R/table.txt: $P/base/eval/scores.json $(rounds:%=$R/round-%/eval/scores.json)
	sightline eval compare base=$P/base $(foreach k,$(rounds),round-$k=$R/round-$k) -o $R/summary.json >$@
