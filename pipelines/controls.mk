# What the figures of a run are worth: the same run without a look. The best edit of the base's captions by their
# words alone, rewards that look at another picture, and pairs by a coin, beside the run in one table.
#   make controls RUN=name
.DELETE_ON_ERROR:
unexport OPENBLAS_CORETYPE
here := $(dir $(lastword $(MAKEFILE_LIST)))
R := runs/$(RUN)
C := $R/controls
begun = $(shell sed -n 's/^$1=//p' $R/settings)
last := $(notdir $(patsubst %/eval/scores.json,%,$(lastword $(shell ls -v $R/round-*/eval/scores.json))))
$(if $(last),,$(error runs/$(RUN) has no scored round; make run RUN=$(RUN)))
sees := $(if $(filter csr sima factual,$(call begun,GRAPH)),other-picture)
runs := $(foreach kind,$(sees) random-pairs,$C/$(kind)/$(last))

.PHONY: shown
shown: $R/controls.json
	@cat $C/table.txt

$R/controls.json: $C/blind/eval/scores.json $(runs:=/eval/scores.json) $R/$(last)/eval/scores.json
	sightline eval compare base=$R/base $(last)=$R/$(last) blind=$C/blind \
		$(foreach run,$(runs),$(word 4,$(subst /, ,$(run)))=$(run)) -o $C/summary.json >$C/table.txt
	@install -C -m 644 $C/summary.json $@

$C/dev/prompts.jsonl:
	sightline scenes --split dev --count 500 --kind prompts -o $(@D)

$C/dev/eval/scores.json: $C/dev/prompts.jsonl $R/recipe.toml
	sightline eval --config $R/recipe.toml --model $(call begun,MODEL) --captions $< --image-root $(<D) -o $(@D)

$C/blind/eval/scores.json: $C/dev/eval/scores.json $R/base/eval/scores.json
	@mkdir -p $C/blind
	sightline eval blind --learn $(<D) --learn-captions $C/dev/prompts.jsonl --apply $R/base/eval \
		--captions $R/scenes/test/prompts.jsonl -o $(@D)

# The pictures are the run's own.
$C/%/$(last)/eval/scores.json: $R/$(last)/eval/scores.json
	@mkdir -p $C/$*
	@test -e $C/$*/scenes || ln -s ../../scenes $C/$*/scenes
	@test -e $C/$*/settings || cp $R/settings $C/$*/settings
	$(MAKE) --no-print-directory -f $(here)$(call begun,GRAPH).mk RUN=$(RUN)/controls/$* RECIPE=$R/recipe.toml \
		CONTROL=$* ROUNDS=$(patsubst round-%,%,$(last)) $@
