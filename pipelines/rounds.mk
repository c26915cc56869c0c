# What every stage graph shares: a run's folder, its recipe and scenes, and its rounds, each of which samples answers,
# trains on pairs and is scored. A graph includes this and says how samples become pairs; before that, it lists in own
# the variables that only it and a few others read, and in made the files of a round, if not the usual ones.
#   RUN=name  ROUNDS=n (next: one more than there are)  RECIPE=name or file  PROMPTS=n  TEST=n
#   DATA=prompts.jsonl  IMAGES=folder  EXAM="captions=file pope=file mme=file"  your own pictures and tests, named as
#   sightline eval list shows
#   COMPUTE=f32 or bf16, how products are computed (f32 with the included models, else as each checkpoint is stored)
#   CONTROL=other-picture (rewards look at another picture) or random-pairs (a coin decides which answer is chosen)
# A run keeps what it began with: its graph and scenes and, unless others are given, its recipe and settings.
# RUN=name/controls/kind is a control of the run name: it shares that run's scenes, base and, unless given, settings.
.DELETE_ON_ERROR:
.SECONDEXPANSION:
unexport OPENBLAS_CORETYPE  # stages run on the core that OpenBLAS finds

here := $(dir $(lastword $(MAKEFILE_LIST)))
home := $(patsubst %pipelines/,%,$(here))
names := MODEL COMPUTE RELEVANCE BASELINE CRITIC CRITIC_ADAPTER GRADE REWARD CONTROL DATA IMAGES PROMPTS
settings := $(names) EXAM
include $(here)settings.mk
$(call checked,RUN RECIPE ROUNDS TEST $(names))
ROUNDS ?= 1
TEST ?= 500
$(foreach name,PROMPTS TEST COMPARISONS,$(if $(filter-out $(call whole,$($(name))),$($(name))),$(error $(name)=$($(name)): \
	give a number from 1)))
graph := $(basename $(notdir $(firstword $(MAKEFILE_LIST))))
other := $(filter-out $(graph),$(call begun,GRAPH))
$(if $(other),$(error run $(RUN) belongs to the graph $(other); use PIPELINE=$(other) or another RUN))
MODEL ?= $(or $(call begun,MODEL),$(home)data/llava)
RELEVANCE ?= $(or $(call begun,RELEVANCE),$(home)data/clip)
# What is published of the included models was computed in f32, though they are stored in two bytes.
COMPUTE ?= $(or $(call begun,COMPUTE),$(if $(filter $(home)data/llava,$(MODEL)),f32))
arithmetic := $(addprefix --compute ,$(COMPUTE))
# The tower of the included model sees a picture faster than a disk keeps what it saw.
features := $(if $(filter $(home)data/llava,$(MODEL)),,--feature-cache $P/features)
RECIPE ?= $(or $(wildcard $R/recipe.toml),default)
recipe := $(or $(if $(findstring /,$(RECIPE)),$(RECIPE)),$(wildcard $(filter %.toml,$(RECIPE))),$(here)recipes/$(RECIPE:.toml=).toml)
says = $(shell sightline recipe $(recipe) | grep '^$1 = ')
# A rehearsed make above may not have written the recipe yet.
rehearsed := $(if $(filter-out 0,$(MAKELEVEL)),$(findstring n,$(firstword -$(MAKEFLAGS))))
$(if $(rehearsed)$(wildcard $(recipe)),,$(error RECIPE=$(RECIPE): there is no such file; the included recipes are \
	$(notdir $(basename $(wildcard $(here)recipes/*.toml)))))
DATA ?= $(call begun,DATA)
IMAGES ?= $(or $(call begun,IMAGES),$(if $(DATA),$(patsubst %/,%,$(dir $(DATA)))))
EXAM ?= $(call begun,EXAM)
PROMPTS ?= $(or $(call begun,PROMPTS),$(if $(DATA),,$(or $(drawn-prompts),1000)))
foreign := $(filter-out $(own),RELEVANCE BASELINE CRITIC CRITIC_ADAPTER GRADE REWARD COMPARISONS ADAPTER)
idle := $(foreach name,$(filter $(foreign) $(if $(DATA),TEST,IMAGES EXAM),$(typed)),$(if $($(name)),$(name)))
$(foreach name,$(firstword $(idle)),$(error $(name)=$($(name)): the graph $(graph) doesn't use \
	it$(if $(filter $(name),$(foreign)),,$(if $(DATA), with DATA, without DATA)); leave it out))
files := MODEL RELEVANCE BASELINE CRITIC CRITIC_ADAPTER GRADE IMAGES
$(foreach name,$(filter $(files),$(typed)),$(if $($(name)),$(if $(wildcard $($(name))),,$(error $(name)=$($(name)): \
	there is no such file or folder))))
exams = $(shell sightline eval list | tail -n +2 | cut -d ' ' -f 1)
$(if $(call plain,EXAM,$(EXAM)),$(if $(filter-out $(addsuffix =%,$(exams)),$(EXAM)),$(error EXAM=$(EXAM): give \
	$(exams:%=%=file,) one or several)))

# Every stage checks the recipe and its options before the first one runs.
ask = $(here)ask.sh $(recipe) $(MAKE) -n -f $(firstword $(MAKEFILE_LIST)) $(MAKEOVERRIDES) ASKING=1 $(MAKECMDGOALS)
unfit := $(if $(ASKING)$(rehearsed),,$(shell $(ask))$(filter-out 0,$(.SHELLSTATUS)))
$(if $(unfit),$(error $(recipe): it can't be run, see above; nothing was started))

rounds := $(shell seq $(if $(filter next,$(ROUNDS)),$(words next $(wildcard $R/round-*/adapter)),$(call whole,$(ROUNDS))) 2>/dev/null)
$(if $(rounds),,$(error ROUNDS=$(ROUNDS): give a number from 1, or next))

# A graph without a reward that looks at a picture says so in lookless.
CONTROL ?= $(call begun,CONTROL)
looks := $(if $(filter other-picture,$(CONTROL)),--picture other)
tosses := $(if $(filter random-pairs,$(CONTROL)),--order random)
fixed := CONTROL DATA IMAGES $(if $(call begun,PROMPTS),PROMPTS)
differs = $(filter-out $1,$2)$(filter-out $2,$1)
$(foreach name,$(if $(wildcard $R/round-1/candidates.jsonl),$(fixed)),$(if $(call differs,$($(name)),$(call begun,$(name))),\
	$(error $(name)=$($(name)): run $(RUN) began with $(or $(call begun,$(name)),none); use another RUN)))
$(if $(filter-out other-picture random-pairs,$(CONTROL)),$(error CONTROL=$(CONTROL): use other-picture or random-pairs))
$(if $(and $(looks),$(lookless)),$(error CONTROL=other-picture: $(lookless); use CONTROL=random-pairs))

# The round before k, or 0; the file of a round's adapter; the model that it left, of round 0 the one to begin with.
before = $(word $1,0 $(rounds))
adapter = $(patsubst %,$R/round-%/adapter/adapter_model.safetensors,$(filter-out 0,$1))
weights := $(wildcard $(MODEL)/*.safetensors)
policy = --model $(if $(filter-out 0,$1),$R/round-$1,$(MODEL)) $(arithmetic) $(features)

# The included model has seen too few words to read a long prompt.
short := $(if $(filter $(home)data/llava,$(MODEL)),-short)

# The prompts of round k and their pictures; the tests and theirs.
prompts = $(or $(DATA),$P/scenes/round-$1/prompts.jsonl)
images = $(or $(IMAGES),$P/scenes/round-$1)
limit := $(if $(DATA),$(addprefix --limit ,$(PROMPTS)))
test := $P/scenes/test
drawn := captions=prompts mme=mme pope=pope_random pope=pope_popular pope=pope_adversarial
tests := $(if $(DATA),$(EXAM),$(foreach name,$(drawn),$(subst =,=$(test)/,$(name)).jsonl))
asked := $(if $(DATA),$(foreach test,$(tests),$(lastword $(subst =, ,$(test)))),$(test)/prompts.jsonl)
$(foreach file,$(DATA) $(if $(DATA),$(asked)),$(if $(wildcard $(file)),,$(error $(file): there is no such file)))
begun-with := $(if $(filter TEST,$(typed)),$(if $(wildcard $(test)/prompts.jsonl),$(shell wc -l <$(test)/prompts.jsonl)))
$(if $(filter-out $(TEST),$(begun-with)),$(error TEST=$(TEST): run $(RUN) began with $(begun-with); choose another RUN))
exam := $(foreach test,$(tests),--$(subst =, ,$(test))) --image-root $(or $(IMAGES),$(test))

made ?= candidates pairs

.PHONY: scored kept FORCE
scored: $(if $(tests),$R/table.txt,kept)
	@$(if $(tests),cat $<,echo 'no EXAM was given, so nothing is scored; add EXAM="captions=file pope=file"')

# Make removes intermediate files unless they are named somewhere.
kept: $(call adapter,$(rounds)) $(foreach file,$(made),$(rounds:%=$R/round-%/$(file).jsonl)) \
	$(foreach k,$(rounds),$(call prompts,$k))

# Both are compared by content: where recipe or model change, what depends on them is remade.
news = $(if $(shell $1 2>/dev/null | cmp -s - $2 || echo differs),FORCE)
told = printf '%s\n' GRAPH=$(graph) $(foreach name,$(settings),$(if $($(name)),'$(name)=$($(name))'))

$R/settings: $$(call news,$$(told),$$@)
	@mkdir -p $R
	@$(told) >$@.new && mv $@.new $@

$R/recipe.toml: $(if $(filter $R/recipe.toml,$(recipe)),,$$(call news,sightline recipe $(recipe),$$@))
	@mkdir -p $R
	@sightline recipe $(recipe) >$@.new && mv $@.new $@

# Training scenes that the models never saw: theirs are numbered from 0, round k's from k millions. Each round has its
# own, because what is memorized from one picture helps on no other.
$P/scenes/round-%/prompts.jsonl:
	sightline scenes --split train --start $*000000 --count $(PROMPTS) --kind prompts -o $(@D)

$(test)/prompts.jsonl:
	sightline scenes --split test --count $(TEST) -o $(@D)

# A control that samples exactly as its run did copies that run's first samples.
first := $(wildcard $(if $(filter $R,$P),,$P/round-1/candidates.jsonl))
alike = cmp -s $P/recipe.toml $R/recipe.toml && test "$$(grep -v ^CONTROL= $P/settings)" = "$$(grep -v ^CONTROL= $R/settings)"
drawn-before = $(if $(findstring --picture,$(draw)),,$(and $(filter 1,$1),$(first),$(shell $(alike) && echo $(first))))

# Round k samples with the model of round k - 1.
$R/round-%/candidates.jsonl: $$(call prompts,$$*) $R/recipe.toml $R/settings $(weights) $$(call adapter,$$(call before,$$*))
	@mkdir -p $(@D)
	$(if $(call drawn-before,$*),cp $(first) $@.new && mv $@.new $@,$(sampled))

sampled = sightline sample $< --config $R/recipe.toml $(call policy,$(call before,$*)) $(draw) $(limit) \
		--image-root $(call images,$*) --resume -o $@

# The reference is the model that sampled: earlier rounds' adapters stay folded in under the new one.
$R/round-%/adapter/adapter_model.safetensors: $R/round-%/pairs.jsonl $R/recipe.toml
	sightline dpo-train $< --config $R/recipe.toml $(call policy,$(call before,$*)) --image-root $(call images,$*) \
		--resume -o $(@D)

$P/base/eval/scores.json: $P/recipe.toml $P/settings $(asked) $(weights)
	@mkdir -p $P/base
	sightline eval --config $< --model $(MODEL) $(arithmetic) $(features) $(exam) -o $(@D)
	-sightline ledger round $(P:runs/%=%) 0 $(MODEL)

$R/round-%/eval/scores.json: $R/recipe.toml $(asked) $$(call adapter,$$*)
	sightline eval --config $< $(call policy,$*) $(exam) -o $(@D)
	-sightline ledger round $(RUN) $* $R/round-$*/adapter

$R/table.txt: $P/base/eval/scores.json $(rounds:%=$R/round-%/eval/scores.json)
	sightline eval compare base=$P/base $(foreach k,$(rounds),round-$k=$R/round-$k) -o $R/summary.json >$@
