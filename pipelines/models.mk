# The two models in data/, trained from scratch on the picture world: first a vision tower, on what its patches show;
# on it the vision-language model, on captions and questions, and the relevance model, on single sentences; and over
# the first, the adapter of SIMA's critic, on choices between two answers.
#   make models
.DELETE_ON_ERROR:
unexport OPENBLAS_CORETYPE

here := $(dir $(lastword $(MAKEFILE_LIST)))
data := $(patsubst %pipelines/,%,$(here))data
recipe := $(here)recipes/models.toml
M := runs/models
$(if $(shell test ! -e $(data) -o -w $(data) || echo no),$(error $(data): it can't be written, and the models go there; check its permissions))

.PHONY: models
models: $(data)/clip/model.safetensors $(data)/llava/model.safetensors $(data)/critic/adapter_model.safetensors

$M/clip-scenes/clip.jsonl:
	sightline scenes --split train --count 40000 --kind clip -o $(@D)

$M/llava-scenes/sft.jsonl:
	sightline scenes --split train --count 60000 --kind captions --questions 7 --existence 3 -o $(@D)

$M/dev/clip.jsonl:
	sightline scenes --split dev --count 500 -o $(@D)

$M/tower/model.safetensors: $M/clip-scenes/clip.jsonl $(here)recipes/tower.toml
	sightline clip-train $< --config $(here)recipes/tower.toml --image-root $(<D) --resume -o $(@D)

$M/llava/model.safetensors: $M/llava-scenes/sft.jsonl $M/tower/model.safetensors $(recipe)
	sightline sft-train $< --config $(recipe) --compute f32 --image-root $(<D) --tower $M/tower --resume -o $(@D)

$M/clip/model.safetensors: $M/clip-scenes/clip.jsonl $M/dev/clip.jsonl $M/tower/model.safetensors $(recipe)
	sightline clip-train $< --config $(recipe) --compute f32 --image-root $(<D) --model $M/tower --dev $M/dev/clip.jsonl \
		--dev-image-root $M/dev --resume -o $(@D)

$M/critic-scenes/sft.jsonl:
	sightline scenes --split train --count 20000 --kind captions --questions 0 --choices 4 -o $(@D)

$M/critic/adapter_model.safetensors: $M/critic-scenes/sft.jsonl $(data)/llava/model.safetensors $(here)recipes/critic.toml
	sightline sft-train $< --config $(here)recipes/critic.toml --compute f32 --image-root $(<D) --model $(data)/llava --resume -o $(@D)

$(data)/critic/adapter_model.safetensors: $M/critic/adapter_model.safetensors
	install -d $(@D)
	install -m 644 $(<D)/adapter_config.json $< $(@D)

$(data)/%/model.safetensors: $M/%/model.safetensors
	install -d $(@D)
	install -m 644 $(<D)/*.json $(wildcard $(<D)/*.jinja) $< $(@D)
