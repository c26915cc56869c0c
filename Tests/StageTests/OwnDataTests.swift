import Foundation
import Testing

/// Graphs over a person's own pictures and tests, and over names that a shell would read otherwise.
struct OwnDataTests {
    func workshop() throws -> Workshop {
        let shop = try Workshop(prompts: 10)
        try shop.succeed(
            """
            ln -s \(Workshop.fixtures)/../../{Makefile,pipelines,data} .; mkdir runs mine
            for n in {0..9}; do cp pictures/picture-$((n % 4)).png mine/$n.png
                echo '{"id":"'$n'","image":"'$n.png'","prompt":"Describe this image.","reference":"A red car is there."}'
            done >mine/prompts.jsonl
            # what people have, whatever its name says
            cp $FIXTURES/imaging/exif6.jpg mine/1.png; cp $FIXTURES/imaging/lossy.webp mine/2.png
            cp $FIXTURES/imaging/rgba8.png mine/3.png; cp $FIXTURES/imaging/animated.gif mine/4.png
            sed 's/"reference":.*/"facts":[{"kind":"object","text":"a red car"}]}/' mine/prompts.jsonl >mine/captions.jsonl
            for n in {0..9}; do echo '{"question_id":'$n',"image":"'$n.png'","text":"Is there a car?","label":"no"}'
            done >mine/pope_random.jsonl
            """)
        return shop
    }

    /// The recipe for one's own data, whose answers tiny models are soon done with.
    static let shortened =
        "sightline recipe pipelines/recipes/own.toml --set max-sentences=2 --set max-tokens=4 --set caption-tokens=4"

    private static let own =
        #"RUN=x DATA=mine/prompts.jsonl EXAM="captions=mine/captions.jsonl pope=mine/pope_random.jsonl""#

    /// Ten pictures go through a round and its tests on tiny models, and the next round takes it all from the run.
    @Test func aRoundRunsOnOnesOwnPictures() throws {
        let shop = try workshop()
        let models = "MODEL=$LLAVA RELEVANCE=$CLIP"
        try shop.succeed("\(Self.shortened) >small.toml")
        let first = try shop.succeed("make -s -f pipelines/csr.mk \(models) RECIPE=./small.toml \(Self.own)")
        #expect(first.output.contains("round-1") && !shop.has("runs/x/scenes"))
        #expect(try shop.lines("runs/x/round-1/candidates.jsonl").count == 10)
        try shop.succeed("make -s -f pipelines/csr.mk RUN=x ROUNDS=next")
        #expect(shop.has("runs/x/round-2/eval/scores.json") && !shop.has("runs/x/scenes"))
        let changed = try shop.run("make -s -f pipelines/csr.mk RUN=x ROUNDS=next DATA=mine/captions.jsonl")
        #expect(
            changed.errors.contains(
                "DATA=mine/captions.jsonl: run x began with mine/prompts.jsonl; use another RUN"))
    }

    /// RLHF-V's corrections are a person's own pairs, and nothing is drawn.
    @Test func correctionsOfOnesOwnAreTrainedOn() throws {
        let shop = try workshop()
        try shop.succeed(
            #"sed 's/"reference":.*/"chosen":"A red car is there.","rejected":"A blue car is there."}/' "#
                + "mine/prompts.jsonl >mine/corrections.jsonl")
        try shop.succeed(
            "make -s -f pipelines/rlhf-v.mk MODEL=$LLAVA RUN=x DATA=mine/corrections.jsonl PROMPTS=8 EXAM=pope=mine/pope_random.jsonl"
        )
        let pairs = try shop.lines("runs/x/round-1/pairs.jsonl")
        #expect(pairs.count == 8 && pairs.allSatisfy { $0.contains("\"weights\"") })
        #expect(shop.has("runs/x/round-1/eval/scores.json") && !shop.has("runs/x/round-1/candidates.jsonl"))
    }

    @Test(arguments: ["csr", "sima", "gt"])
    func noGraphDrawsPicturesBesideThem(graph: String) throws {
        let shop = try workshop()
        let steps = try shop.succeed(
            "make -n -f pipelines/\(graph).mk RECIPE=\(graph == "csr" ? "own" : graph) PROMPTS=5 \(Self.own)"
        ).output
        #expect(steps.contains("sightline sample mine/prompts.jsonl") && steps.contains("--limit 5"))
        #expect(
            steps.contains("--captions mine/captions.jsonl --pope mine/pope_random.jsonl --image-root mine"))
        #expect(!steps.contains("sightline scenes") && !steps.contains("runs/x/scenes"))
        let baseline = "--relevance-baseline mine/prompts.jsonl --baseline-root mine"
        #expect(steps.contains(baseline) == (graph == "csr"))
    }

    /// Without tests the rounds are made and none is scored.
    @Test func withoutAnExamNothingIsScored() throws {
        let steps = try workshop().succeed("make -n -f pipelines/csr.mk RUN=x DATA=mine/prompts.jsonl").output
        #expect(steps.contains("sightline dpo-train") && !steps.contains("sightline eval"))
        #expect(steps.contains("pipelines/recipes/own.toml"))
        #expect(steps.contains("no EXAM was given"))
    }

    @Test(arguments: [
        ("RUN='my run'", "RUN=my run: it has a space"),
        ("RUN=x MODEL='my llava'", "MODEL=my llava: it has a space"),
        ("RUN=x RECIPE='a b.toml'", "RECIPE=a b.toml: it has a space"),
        ("RUN=x MODEL='x;touch y'", "MODEL=x;touch y: it has ;"),
        ("RUN='x`touch y`'", "it has `"),
        ("RUN=x DATA=nowhere.jsonl", "nowhere.jsonl: there is no such file"),
        ("RUN=x DATA=mine/prompts.jsonl EXAM=pope=nowhere.jsonl", "nowhere.jsonl: there is no such file"),
        (
            "RUN=x DATA=mine/prompts.jsonl EXAM=chaos=mine/pope_random.jsonl",
            "give captions=file, chair=file, pope=file, mme=file"
        ),
        (
            "RUN=x DATA=mine/prompts.jsonl -f pipelines/factual.mk",
            "reward models learn from drawn pictures"
        ),
    ])
    func whatCannotBeIsNamed(typed: String, says: String) throws {
        let shop = try workshop()
        let ended = try shop.run("make -f pipelines/csr.mk \(typed)")
        #expect(ended.code != 0 && ended.errors.contains(says), "\(ended.errors)")
        #expect(!shop.has("y"))
    }

    /// A folder that came from someone else is read, not run.
    @Test(arguments: ["GRAPH=csr;touch y", "MODEL=x;touch y", "MODEL=$(shell touch y)", "CRITIC=`touch y`"])
    func settingsAreData(line: String) throws {
        let shop = try workshop()
        try shop.succeed("mkdir runs/x")
        try shop.write("GRAPH=sima\n\(line)\n", to: "runs/x/settings")
        for call in ["-f pipelines/sima.mk RUN=x", "-o build run RUN=x"] {
            let ended = try shop.run("make \(call)")
            #expect(ended.code != 0 && ended.errors.contains("it has "), "\(ended.errors)")
        }
        #expect(!shop.has("y"))
    }
}
