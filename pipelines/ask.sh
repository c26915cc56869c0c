#!/bin/sh
# Has every stage that a graph would run check the recipe and its options, so that an error in the last stage is
# reported before the first one runs.
#   ask.sh RECIPE make -n -f GRAPH …
recipe=$1
shift
faults=$(
    env -u MAKEFLAGS "$@" 2>/dev/null | sed -e :a -e '/\\$/N; s/\\\n//; ta' | grep '^sightline .* --config ' |
        sed "s| --config [^ ]*| --config $recipe|" | awk '!seen[$0]++' |
        while IFS= read -r line; do
            said=$(eval "$line --print-config" </dev/null 2>&1 >/dev/null) || printf '%s\n' "$said"
        done | awk '{ fault = $0; sub(/^[a-z -]*: /, "", fault) } !seen[fault]++'  # each reads the whole recipe
)
[ -z "$faults" ] || { printf '%s\n' "$faults" >&2; exit 1; }
