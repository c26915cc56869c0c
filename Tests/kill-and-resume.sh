#!/bin/bash
# kill -9 at KILLS random moments in each program that goes on with --resume: the result must be, byte for byte, that of
# an undisturbed run, and the ledger must tell of each kill. Then kill -9 in programs that replace what stands there: at
# every moment it must be whole, and nothing else may be left once they have run. Then kill -9 of a whole run of two
# rounds with all its stages, again and again, and of its ledger.
# The short form is Tests/StageTests/KillTests.swift.
#   make build && Tests/kill-and-resume.sh
#   KILLS=3 MODEL=folder RELEVANCE=folder Tests/kill-and-resume.sh
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
export PATH="$here/.build/release:$PATH"
kills=${KILLS:-10}
model=$(realpath "${MODEL:-$here/data/llava}")
relevance=$(realpath "${RELEVANCE:-$here/data/clip}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

say() { printf '%s\n' "$*"; }
seconds() { date +%s.%N; }
outcomes() { sightline ledger list --stage "$1" --outcome "$2" --limit 1000 --json | wc -l; }

same() { diff -r whole out || { say "$1: killed after $2 s, and the result differs"; exit 1; }; }

# try STAGE OPTIONS…: an undisturbed run, then kills and resumed runs until there were enough kills.
try() {
    local stage=$1 began took pause process done=0 killed=0 begun=0 told
    shift
    rm -rf whole
    began=$(seconds)
    sightline "$stage" "$@" -o whole --quiet --no-ledger
    took=$(awk "BEGIN { print $(seconds) - $began }")
    while ((done < kills)); do
        rm -rf out out.part out.part.*
        pause=$(awk "BEGIN { print $took * $RANDOM / 32768 }")
        sightline "$stage" "$@" -o out --quiet &
        process=$!
        sleep "$pause"
        kill -9 $process 2>/dev/null || true
        if wait $process 2>/dev/null; then continue; fi  # it was faster this time
        killed=$((killed + 1))
        if [[ -e out.part ]]; then begun=$((begun + 1)); fi
        # A result that is there already must be the whole one, and doesn't count.
        if [[ -e out ]]; then same "$stage" "$pause"; continue; fi
        sightline "$stage" "$@" -o out --quiet --resume
        same "$stage" "$pause"
        done=$((done + 1))
    done
    # Whoever has begun to write stands in the ledger; a kill may come before that.
    told=$(outcomes "$stage" killed)
    if ((told < begun || told > killed)); then
        say "$stage: the ledger tells of $told kills, but there were $begun to $killed"
        exit 1
    fi
    say "$stage: $kills kills within $took s, each resumed to the same bytes; the ledger tells of $told"
}

# replace NAMES STAGE OPTIONS…: a command that writes the names, separated by commas, over what it wrote before; kills,
# after each of which the names hold what an undisturbed run writes, and in the end nothing but them is there.
replace() {
    local names=${1//,/ } stage=$2 began took pause process name killed=0 tries=0
    shift 2
    rm -rf place whole
    mkdir place
    began=$(seconds)
    (cd place && sightline "$stage" "$@" --quiet --no-ledger >/dev/null)
    took=$(awk "BEGIN { print $(seconds) - $began }")
    cp -R place whole
    while ((killed < kills && tries < 20 * kills)); do
        tries=$((tries + 1))
        pause=$(awk "BEGIN { print $took * $RANDOM / 32768 }")
        (cd place && exec sightline "$stage" "$@" --quiet --no-ledger >/dev/null) &
        process=$!
        sleep "$pause"
        kill -9 $process 2>/dev/null || true
        if wait $process 2>/dev/null; then continue; fi
        killed=$((killed + 1))
        for name in $names; do
            diff -r "whole/$name" "place/$name" || { say "$stage: killed after $pause s, $name is not whole"; exit 1; }
        done
    done
    (cd place && sightline "$stage" "$@" --quiet --no-ledger >/dev/null)
    diff -r whole place || { say "$stage: killed $killed times, something was left behind"; exit 1; }
    say "$stage: $killed kills within $took s, what stood there was whole each time and nothing was left behind"
}

# graph OPTIONS…: a run of csr is killed with all its stages and begun again until it's done, while its ledger is taken
# away every second time; until there were enough kills. Then its files are those of an undisturbed run, but for those
# that tell times or the run's name.
graph() {
    local began took pause process killer killed=0 finished=0 status
    began=$(seconds)
    sightline run csr --run whole "$@" >/dev/null 2>&1
    took=$(awk "BEGIN { print $(seconds) - $began }")
    while ((killed < kills)); do
        rm -rf runs/cut
        while true; do
            setsid sightline run csr --run cut "$@" >/dev/null 2>>said &
            process=$!
            pause=$(awk "BEGIN { print $took * $RANDOM / 32768 }")
            (
                sleep "$pause"
                if ((killed % 2)); then rm -f runs/ledger.sqlite*; sleep 0.3; fi
                kill -9 -- -$process
            ) 2>/dev/null &
            killer=$!
            status=0
            wait $process 2>/dev/null || status=$?
            kill $killer 2>/dev/null || true
            # Its stage may take a moment more to die, and holds the run's lock until then.
            if [[ -e runs/cut/.lock ]]; then flock runs/cut/.lock true; fi
            if ((status == 0)); then break; fi
            if ((status != 137)); then say "csr: it ended with $status: $(tail -n 3 said)"; exit 1; fi
            killed=$((killed + 1))
        done
        finished=$((finished + 1))
        diff -r -x scores.json -x summary.json -x settings runs/whole runs/cut ||
            { say "csr: killed $killed times, and the run differs"; exit 1; }
    done
    say "csr: $finished runs of $took s, killed $killed times in all, each with the files of an undisturbed one"
}

mkdir runs
sightline scenes --split dev --count 64 --kind prompts -o scenes --quiet --no-ledger
images=(--image-root scenes)
try sample scenes/prompts.jsonl --model "$model" --mode tree --relevance "$relevance" --batch 8 \
    --max-tokens 24 "${images[@]}"
sightline sample scenes/prompts.jsonl --model "$model" --mode tree --relevance "$relevance" --max-tokens 24 \
    "${images[@]}" -o drawn.jsonl --quiet --no-ledger
try calibrate drawn.jsonl --relevance "$relevance" --batch 1 "${images[@]}"
cp whole scored.jsonl
sightline pair scored.jsonl --keep-all -o pairs.jsonl --quiet --no-ledger
try dpo-train pairs.jsonl --model "$model" --batch 4 --epochs 3 --save-every 5 "${images[@]}"
sed 's/"prompt":"[^"]*"/"samples":[{"prompt":"What is it?","answer":"A picture of things."}]/' \
    scenes/prompts.jsonl >lessons.jsonl
try sft-train lessons.jsonl --model "$model" --steps 20 --batch 8 --save-every 3 "${images[@]}"
critic=$here/data/prompts/critic-short.txt grade=$here/data/prompts/grade-short.txt
sightline sample scenes/prompts.jsonl --model "$model" --mode answers --with-greedy --count 1 --max-tokens 24 \
    "${images[@]}" -o two.jsonl --quiet --no-ledger
try self-critic two.jsonl --model "$model" --prompt-file "$critic" --batch 2 --max-tokens 8 "${images[@]}"
try reward-train pairs.jsonl --model "$model" --prompt-file "$grade" --batch 4 --save-every 3 "${images[@]}"
sightline scenes --split dev --count 32 --kind clip -o clips --quiet --no-ledger
try clip-train clips/clip.jsonl --model "$relevance" --steps 12 --batch 4 --save-every 2 --image-root clips

sightline dpo-train pairs.jsonl --model "$model" --batch 4 "${images[@]}" -o adapter --quiet --no-ledger
replace merged merge --model "$model" --adapter "$folder/adapter" -o merged
replace book scenes --split dev --count 64 -o book
replace pairs.jsonl,audit.json pair "$folder/scored.jsonl" --keep-all --audit audit.json -o pairs.jsonl
graph --rounds 2 --prompts 24 --test 8
