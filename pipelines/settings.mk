# What is typed behind make or stands in a run's settings becomes words of rules and commands. A word with a meaning of
# its own to make or the shell is refused, so that a folder from someone else can't run code.
signs := ; & | < > ` ' " ( ) \ * ? [ ] { } ! % : \# $$
signed = $(strip $(foreach sign,$(signs),$(findstring $(sign),$1)))
refuse = $(error $1=$2: it has $(or $(call signed,$2),a space); rename it, or give a link to it (ln -s))
plain = $(if $(call signed,$2),$(call refuse,$1,$2),$2)

# $(call whole,number): itself where it is one from 1.
whole = $(shell printf %s '$1' | grep -Ex '[1-9][0-9]{0,7}')

# $(call checked,names): of variables that hold one word.
checked = $(foreach name,$1,$(if $(call signed,$($(name)))$(word 2,$($(name))),$(call refuse,$(name),$($(name)))))

# $(call begun,name): what the run began with; a control that hasn't, with its run's. Read once.
begun = $(if $(filter undefined,$(origin begun.$1)),$(eval begun.$1 := $$(call plain,$1,$$(shell $(reading)))))$(begun.$1)
reading = sed -n 's/^$1=//p' $(lastword $(wildcard $P/settings $R/settings)) /dev/null
P = runs/$(firstword $(subst /controls/, ,$(RUN)))
R = runs/$(RUN)

# What may be typed behind make. A misspelled variable would have no effect, and is refused.
variables := PIPELINE RUN RUNS ROUNDS RECIPE RECIPES PROMPTS TEST MODEL ADAPTER COMPUTE RELEVANCE BASELINE CRITIC CRITIC_ADAPTER GRADE REWARD \
	COMPARISONS CONTROL DATA IMAGES EXAM SEEDS SWEEP ABLATION PEERS PYTHON LIBRARIES PREFIX DESTDIR ASKING SHELL
typed := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
stray := $(firstword $(filter-out $(variables),$(typed)))
near := $(if $(stray),$(filter $(stray)%,$(variables)) $(foreach name,$(variables),$(if $(filter $(name)%,$(stray)),$(name))))
$(if $(stray),$(error $(stray): no such variable; $(if $(strip $(near)),did you mean $(firstword $(near))?,there are $(variables))))
