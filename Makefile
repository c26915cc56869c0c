# Sightline's front door. "make help" lists what there is.
export PATH := $(CURDIR)/.build/release:$(PATH)
PROGRAMS := $(filter-out sightline bench,$(notdir $(wildcard Sources/Programs/*)))
ABLATION := default likelihood relevance lambda-0.5
SWEEP ?= $(foreach recipe,default paper code,$(addprefix $(recipe)-,0.1 0.5 0.9))
SEEDS ?= 0 1 2
random := sample reward-train dpo-train
LIBRARIES := libopenblas-dev libsqlite3-dev libjpeg62-turbo-dev libpng-dev libwebp-dev libgif-dev
PREFIX ?= /usr/local
PYTHON ?= python3
.DEFAULT_GOAL := $(if $(PIPELINE),run,help)
include $(dir $(lastword $(MAKEFILE_LIST)))pipelines/settings.mk
$(call checked,RUN PIPELINE RECIPE)
PIPELINE ?= $(or $(if $(filter-out undefined file,$(origin RUN)),$(call begun,GRAPH)),csr)
RUN ?= $(PIPELINE)
present = $(shell dpkg-query -W -f '$${Package}:$${db:Status-Status} ' $(LIBRARIES) 2>/dev/null)
missing = $(filter-out $(patsubst %:installed,%,$(present)),$(LIBRARIES))
install_missing = apt-get update -q && apt-get install -y -q --no-install-recommends $(missing)
is_root = $(filter 0,$(shell id -u))
scored = $(lastword $(shell ls -v runs/$1/round-*/eval/scores.json 2>/dev/null))
last = $(or $(patsubst %/eval/scores.json,%,$(call scored,$1)),$(error runs/$1 has no scored round; make run RUN=$1))
seeded = $1=$(call last,seeds-$1-$2)
TO = $(DESTDIR)$(PREFIX)
# Swift's own libraries, installed beside the programs, which then run without a toolchain.
runtime = $(shell ldd $(PROGRAMS:%=.build/release/%) | awk '/\/swift\/linux\// { print $$3 }' | sort -u)
manual = .build/plugins/GenerateManual/outputs/*/$1.1
run-of = $(lastword $(subst =, ,$1))
compared = $(foreach recipe,$(ABLATION),$(recipe)=runs/ablation-$(recipe)/round-1)

.PHONY: help deps build test lint demo csr run models ablation sweep seeds compare controls eval-all report bench install

help: ## list what make can do
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 17
	@echo "Runs take RUN=name ROUNDS=n RECIPE=name, new ones also PROMPTS=n TEST=n; PIPELINE=csr names a graph."

deps: ## install the system libraries that are missing
	$(if $(missing),$(if $(is_root),$(install_missing),$(error missing $(missing); run: sudo sh -c '$(install_missing)')))

build: deps ## build programs and tests, in release
	swift build -c release --build-tests
	@git describe --always --dirty >.build/release/revision 2>/dev/null || rm -f .build/release/revision

test: build ## run every test
	swift test -c release --skip-build

lint: ## check the style of every Swift file
	swift format lint --strict --recursive Sources Tests Package.swift

demo: ## one small round of CSR, with tables: before and after, and its controls
	@$(MAKE) --no-print-directory run RUN=demo ROUNDS=1 $(if $(DATA),RECIPE=own,RECIPE=demo PROMPTS=1200 TEST=200)
	@$(MAKE) --no-print-directory controls RUN=demo

csr: PIPELINE := csr
csr: run ## calibrated self-rewarding, round after round; a stopped run continues

run: build ## run the stage graph PIPELINE
	+sightline run $(PIPELINE) --run $(RUN)

models: build ## retrain the models in data/
	+sightline run models

ablation: $(ABLATION:%=ablation-%) ## one round of each recipe, in one table
	@mkdir -p runs/ablation
	sightline eval compare base=runs/ablation-default/base $(compared) -o runs/ablation/summary.json

ablation-%: build
	+sightline run csr --run $@ --recipe $* --rounds 1

compare: build ## compare the last rounds of runs: RUNS="a b c"; seeds of one method: RUNS="csr=a csr=b"
	$(if $(RUNS),,$(error say which runs: make compare RUNS="a b c"))
	@mkdir -p runs/compare
	sightline eval compare base=runs/$(call run-of,$(firstword $(RUNS)))/base \
		$(foreach run,$(RUNS),$(firstword $(subst =, ,$(run)))=$(call last,$(call run-of,$(run)))) \
		-o runs/compare/summary.json --plot runs/compare/plot.svg

sweep: $(SWEEP:%=sweep-%) ## CSR as ours, in its paper and in its code, each at three weights of relevance
	@mkdir -p runs/sweep
	sightline eval compare base=runs/$</base $(foreach s,$(SWEEP),$s=runs/sweep-$s/round-$(or $(ROUNDS),1)) -o runs/sweep/summary.json

sweep-%: build
	@mkdir -p runs/$@
	sightline recipe pipelines/recipes/$(firstword $(subst -, ,$*)).toml --set lambda=$(lastword $(subst -, ,$*)) >runs/$@/swept.toml
	+sightline run csr --run $@ --recipe runs/$@/swept.toml

seeds: $(foreach recipe,$(RECIPES),$(SEEDS:%=seeds-$(recipe)-%)) ## RECIPES of a PIPELINE, each with three SEEDS
	$(if $(RECIPES),,$(error say which: make seeds PIPELINE=rlhf-v RECIPES="rlhf-v-code rlhf-v-plain"))
	@mkdir -p runs/seeds
	sightline eval compare base=runs/$</base $(foreach recipe,$(RECIPES),$(foreach seed,$(SEEDS),$(call seeded,$(recipe),$(seed)))) \
		-o runs/seeds/summary.json

seeds-%: build
	@mkdir -p runs/$@
	sightline recipe pipelines/recipes/$(patsubst %-$(lastword $(subst -, ,$*)),%,$*).toml \
		$(foreach stage,$(random),--set $(stage).seed=$(lastword $(subst -, ,$*))) >runs/$@/seeded.toml
	+sightline run $(PIPELINE) --run $@ --recipe runs/$@/seeded.toml

controls: build ## repeat a run without looking at the pictures, to see what its figures are worth
	+sightline run controls --run $(RUN)

eval-all: PIPELINE := eval-all
eval-all: build ## put a model, or base and last round of RUN, through six benchmarks, with one page
	+sightline run eval-all --run $(RUN)

report: build ## write a page about a run, runs/RUN/report.html
	sightline report runs/$(RUN) -o runs/$(RUN)/report.html

bench: build $(if $(PEERS),runs/bench/pairs.jsonl) ## measure speed; PEERS=1 PYTHON=venv/bin/python compares with TRL and transformers
	@mkdir -p runs/bench
	bench $(if $(PEERS),runs/bench --peers Tests/Benchmarks/peers.py --python $(PYTHON) $(if $(LLAMA_BENCH),--llama-bench $(LLAMA_BENCH))) -o runs/bench/bench.json

runs/bench/pairs.jsonl:
	$(PYTHON) -B Tests/Benchmarks/peers.py --make runs/bench

install: LIBRARIES += patchelf
install: build ## install to PREFIX: bin/sightline, libexec/sightline, lib/sightline, share/sightline, man pages
	swift package generate-manual
	install -d $(addprefix $(TO)/,bin libexec/sightline lib/sightline share/sightline share/man/man1)
	install -s .build/release/sightline $(TO)/bin
	install -s $(PROGRAMS:%=.build/release/%) $(TO)/libexec/sightline
	install -m 644 $(runtime) $(TO)/lib/sightline
	patchelf --set-rpath '$$ORIGIN/../lib/sightline' $(TO)/bin/sightline
	patchelf --set-rpath '$$ORIGIN/../../lib/sightline' $(PROGRAMS:%=$(TO)/libexec/sightline/%)
	$(if $(wildcard .build/release/revision),install -m 644 .build/release/revision $(TO)/libexec/sightline)
	cp -R pipelines $(wildcard data) $(TO)/share/sightline
	install -m 644 $(call manual,sightline) $(TO)/share/man/man1
	for name in $(PROGRAMS); do sed "s/^\.Nm $$name/.Nm sightline $$name/" $(call manual,$$name) >$(TO)/share/man/man1/sightline-$$name.1 || exit 1; done
	@du -sh $(TO)/bin $(TO)/libexec/sightline $(TO)/lib/sightline $(TO)/share/sightline
