# The field's benchmarks in their own files, on drawn pictures: a model, or base and last round of a run, beside answers
# that need no picture, and those of the base about other pictures than it is asked about.
#   make eval-all RUN=name TEST=n     MODEL=folder ADAPTER=folder  another model than a run's
.DELETE_ON_ERROR:
unexport OPENBLAS_CORETYPE
included := $(patsubst %pipelines/,%,$(dir $(lastword $(MAKEFILE_LIST))))data/llava
include $(dir $(lastword $(MAKEFILE_LIST)))settings.mk
used := PIPELINE RUN MODEL ADAPTER TEST
$(call checked,$(used))
$(foreach name,$(filter-out $(used),$(typed)),$(error $(name)=$($(name)): eval-all doesn't use it; leave it out))
# Typed, not of the environment.
adapter := $(if $(filter ADAPTER,$(typed)),$(ADAPTER))
TEST ?= 200
last := $(if $(filter MODEL ADAPTER,$(typed)),,$(lastword $(shell ls -vd $R/round-*/adapter 2>/dev/null)))
MODEL ?= $(or $(call begun,MODEL),$(included))
arithmetic := $(addprefix --compute ,$(or $(call begun,COMPUTE),$(if $(filter $(included),$(MODEL)),f32)))
E := $R/benchmarks
tuned := $(or $(if $(adapter),adapter),$(notdir $(patsubst %/adapter,%,$(last))))
rows := base $(tuned) other-picture yes majority
own = $(MODEL) $(if $(filter $(tuned),$1),$(or $(adapter),$(last)))
asked = --model $(if $(filter round-%,$1),$R/$1,$(MODEL)) $(if $(filter adapter,$1),--adapter $(adapter)) \
	$(addprefix --config ,$(wildcard $R/recipe.toml)) $(arithmetic)
told = printf '%s\n' 'MODEL=$(MODEL)' 'ADAPTER=$(adapter)' 'TEST=$(TEST)' $(arithmetic)

.SECONDEXPANSION:
.PHONY: scored FORCE
scored: $E/report.html
	@cat $E/table.txt

$E/settings: $(if $(shell $(told) | cmp -s - $E/settings || echo differs),FORCE)
	@mkdir -p $E
	@$(told) >$@.new && mv $@.new $@

# Its last file.
$E/files/TextVQA_0.5.1_val.json: $E/settings
	sightline scenes --split test --count $(TEST) --kind benchmarks -o $(@D)

$(rows:%=$E/%/eval/scores.json): $E/%/eval/scores.json: $E/files/TextVQA_0.5.1_val.json $$(wildcard $R/recipe.toml $$(patsubst %,%/*.safetensors,$$(call own,$$*)))
	@mkdir -p $E/$*
	sightline eval run pope chair mme mmbench gqa textvqa --data $E/files \
		--image-root $E/files/$(if $(filter other-picture,$*),others,images) \
		$(if $(filter yes majority,$*),--guess $*,$(call asked,$*)) -o $(@D)

$E/report.html: $(rows:%=$E/%/eval/scores.json)
	sightline eval compare $(foreach row,$(rows),$(row)=$E/$(row)) -o $E/summary.json --report $@ >$E/table.txt
