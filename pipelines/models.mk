# The two models of data/, from nothing but the picture world: the vision-language model from captions and
# questions, then the relevance model, which begins with its vision tower, from single sentences.
#   make models
.DELETE_ON_ERROR:
unexport OPENBLAS_CORETYPE

here := $(dir $(lastword $(MAKEFILE_LIST)))
data := $(patsubst %pipelines/,%,$(here))data
recipe := $(here)recipes/models.toml
M := runs/models

.PHONY: models
models: $(data)/clip/model.safetensors $(data)/llava/model.safetensors

$M/clip-scenes/clip.jsonl:
	sightline scenes --split train --count 20000 --kind clip -o $(@D)

$M/llava-scenes/sft.jsonl:
	sightline scenes --split train --count 60000 --kind captions --questions 8 -o $(@D)

$M/dev/clip.jsonl:
	sightline scenes --split dev --count 500 -o $(@D)

$M/llava/model.safetensors: $M/llava-scenes/sft.jsonl $(recipe)
	sightline sft-train $< --config $(recipe) --image-root $(<D) --resume -o $(@D)

$M/clip/model.safetensors: $M/clip-scenes/clip.jsonl $M/dev/clip.jsonl $M/llava/model.safetensors $(recipe)
	sightline clip-train $< --config $(recipe) --image-root $(<D) --tower $M/llava --dev $M/dev/clip.jsonl \
		--dev-image-root $M/dev --resume -o $(@D)

$(data)/%/model.safetensors: $M/%/model.safetensors
	install -d $(@D)
	install -m 644 $(<D)/*.json $(wildcard $(<D)/*.jinja) $< $(@D)
