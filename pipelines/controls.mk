# Compares a run with what can be had without looking: the base's captions edited blindly, by rules learned from its
# captions of other pictures; the same rounds with rewards from another picture; and with a coin instead of the reward.
# And with what can be had without learning: the base's captions without what it denies when asked.
#   make controls RUN=name
.DELETE_ON_ERROR:
unexport OPENBLAS_CORETYPE
include $(dir $(lastword $(MAKEFILE_LIST)))settings.mk
arithmetic := $(addprefix --compute ,$(call begun,COMPUTE))
$(call checked,RUN)
C := $R/controls
graph := $(dir $(firstword $(MAKEFILE_LIST)))$(call begun,GRAPH).mk
k := $(patsubst $R/round-%/eval/scores.json,%,$(lastword $(shell ls -v $R/round-*/eval/scores.json 2>/dev/null)))
$(if $k,,$(error $R has no scored round; make run RUN=$(RUN)))
kinds := $(if $(shell grep '^lookless' $(graph)),,other-picture) random-pairs
# A blind edit is learned on other pictures, which only drawn ones have.
blind := $(if $(call begun,DATA),,$C/blind/eval/scores.json)
# The captions that are scored, and their pictures.
captions := $(if $(call begun,DATA),$(patsubst captions=%,%,$(filter captions=%,$(call begun,EXAM))),$R/scenes/test/prompts.jsonl)
pictures := $(or $(call begun,IMAGES),$R/scenes/test)
asked := $(if $(captions),$C/ask-back/eval/scores.json)
sheets := base=$R/base round-$k=$R/round-$k $(if $(blind),blind=$C/blind) $(if $(asked),ask-back=$C/ask-back) $(foreach kind,$(kinds),$(kind)=$C/$(kind)/round-$k)

.PHONY: shown $(kinds)
shown: $R/controls.json
	@cat $C/table.txt

$R/controls.json: $(blind) $(asked) $(kinds)
	sightline eval compare $(sheets) -o $C/summary.json >$C/table.txt
	@cp $C/summary.json $@

$C/blind/eval/scores.json: $C/dev/eval/scores.json $R/base/eval/scores.json
	@mkdir -p $C/blind
	sightline eval blind --learn $C/dev/eval --learn-captions $C/dev/prompts.jsonl --apply $R/base/eval \
		--captions $R/scenes/test/prompts.jsonl -o $(@D)

$C/ask-back/eval/scores.json: $R/base/eval/scores.json
	@mkdir -p $C/ask-back
	sightline eval ask-back --model $(call begun,MODEL) $(arithmetic) --apply $R/base/eval --captions $(captions) --image-root $(pictures) -o $(@D)

$C/dev/eval/scores.json: $R/recipe.toml $R/settings
	sightline scenes --split dev --count 500 --kind prompts -o $C/dev
	sightline eval --config $< --model $(call begun,MODEL) $(arithmetic) --captions $C/dev/prompts.jsonl --image-root $C/dev -o $(@D)

# The graph itself knows what is missing or outdated in a control.
$(kinds):
	$(MAKE) --no-print-directory -f $(graph) RUN=$(RUN)/controls/$@ CONTROL=$@ RECIPE=$R/recipe.toml ROUNDS=$k \
		$C/$@/table.txt
