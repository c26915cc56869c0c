import Foundation
import Testing

/// What the graphs would do under `CONTROL`, and `make controls`, as `make -n` says it.
struct ControlGraphTests {
    private static let make = "make --no-print-directory -o build -n"

    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.succeed("ln -s \(Workshop.fixtures)/../../{Makefile,pipelines,data} .; mkdir runs")
        return shop
    }

    /// The lines of a graph that call a program, each whole.
    private func lines(_ shop: Workshop, _ line: String, of program: String) throws -> [String] {
        try shop.succeed("\(Self.make) \(line)").output.replacing("\\\n", with: " ").split(separator: "\n")
            .map(String.init).filter { $0.hasPrefix("sightline \(program) ") }
    }

    /// Every program with a reward gets its flag, and no other has one.
    @Test(arguments: [
        ("csr.mk RECIPE=paper", ["sample", "calibrate"]), ("csr.mk", ["calibrate"]),
        ("csr.mk RECIPE=code", ["calibrate"]), ("sima.mk", ["self-critic"]),
        ("factual.mk", ["reward-train", "calibrate"]), ("reward.mk", ["reward-train", "calibrate"]),
    ])
    func anotherPictureReachesEveryReward(graph: String, programs: [String]) throws {
        let shop = try workshop()
        let call = "-f pipelines/\(graph) RUN=x"
        for program in ["sample", "calibrate", "self-critic", "reward-train", "pair"] {
            let controlled = try lines(shop, "\(call) CONTROL=other-picture", of: program)
            let plain = try lines(shop, call, of: program)
            #expect(controlled.count == plain.count && plain.allSatisfy { !$0.contains("--picture") })
            for line in controlled {
                #expect(line.contains("--picture other") == programs.contains(program), "\(line)")
            }
        }
    }

    @Test(arguments: ["csr", "sima", "gt", "rlhf-v", "factual"])
    func aCoinOrdersThePairsOfARound(graph: String) throws {
        let pairs = try lines(workshop(), "-f pipelines/\(graph).mk RUN=x CONTROL=random-pairs", of: "pair")
        // The comparisons that teach a reward stay as they are.
        for pair in pairs { #expect(pair.contains("--order random") == pair.contains("round-1"), "\(pair)") }
        #expect(pairs.contains { $0.contains("round-1") })
    }

    @Test(arguments: [
        ("gt", "other-picture", "gt has no reward that looks at a picture"),
        ("rlhf-v", "other-picture", "rlhf-v has no reward that looks at a picture"),
        ("reward", "random-pairs", "trains on no preferences"),
        ("csr", "other-pictures", "CONTROL=other-pictures: use other-picture or random-pairs"),
    ])
    func whatMakesNoSenseIsRefused(graph: String, control: String, says: String) throws {
        let ended = try workshop().run("\(Self.make) -f pipelines/\(graph).mk RUN=x CONTROL=\(control)")
        #expect(ended.code != 0 && ended.errors.contains(says), "\(ended.errors)")
    }

    /// A run remembers its control, until another or none is typed.
    @Test func theControlIsASetting() throws {
        let shop = try workshop()
        let settings = "make -s -f pipelines/csr.mk RUN=x runs/x/settings"
        for (typed, kept) in [("CONTROL=random-pairs", true), ("", true), ("CONTROL=", false), ("", false)] {
            try shop.succeed("\(settings) \(typed)")
            #expect(try shop.read("runs/x/settings").contains("CONTROL=random-pairs") == kept, "\(typed)")
        }
    }

    /// A pool is drawn where the recipe asks, one that is named is taken, and else there is none.
    @Test func theBaselineComesWithTheRecipeOrByName() throws {
        let shop = try workshop()
        try shop.succeed("grep -v ^baseline-nearest pipelines/recipes/default.toml >bare.toml; : >own.jsonl")
        let pool =
            "--relevance-baseline runs/x/scenes/pool/prompts.jsonl --baseline-root runs/x/scenes/pool/ "
        for (typed, expected, drawn) in [
            ("RECIPE=default", pool, true),
            ("RECIPE=./bare.toml BASELINE=own.jsonl", "--relevance-baseline own.jsonl ", false),
            ("BASELINE=own.jsonl", "--relevance-baseline own.jsonl ", false),
            ("RECIPE=./bare.toml", nil, false),
        ] {
            let call = "-f pipelines/csr.mk RUN=x \(typed)"
            let line = try #require(lines(shop, call, of: "calibrate").first)
            #expect(expected.map { line.contains($0) } ?? !line.contains("baseline"), "\(line)")
            let scenes = try lines(shop, call, of: "scenes")
            #expect(scenes.contains { $0.contains("--start 900000 --count 1024") } == drawn, "\(typed)")
        }
    }

    /// What a control would draw as its run did it takes over, unless what steers looks elsewhere or the recipe is
    /// another one.
    @Test(arguments: [
        ("default", "random-pairs", "default", true), ("default", "other-picture", "default", true),
        ("paper", "other-picture", "paper", false), ("paper", "random-pairs", "paper", true),
        ("default", "random-pairs", "relevance", false),
    ])
    func theFirstDrawsAreShared(recipe: String, control: String, other: String, isShared: Bool) throws {
        let shop = try workshop()
        let call = "-f pipelines/csr.mk RUN=x/controls/\(control) CONTROL=\(control) RECIPE=\(other)"
        try shop.succeed(
            """
            make -s -f pipelines/csr.mk RUN=x RECIPE=\(recipe) runs/x/settings runs/x/recipe.toml
            make -s \(call) runs/x/controls/\(control)/settings runs/x/controls/\(control)/recipe.toml
            mkdir runs/x/round-1 && touch runs/x/round-1/candidates.jsonl
            """)
        #expect(try lines(shop, call, of: "sample").isEmpty == isShared)
    }

    // MARK: - make controls

    /// A run with two scored rounds, as far as make can see it.
    private func run(_ shop: Workshop, graph: String) throws {
        try shop.succeed(
            """
            set -e
            make -s -f pipelines/\(graph).mk RUN=x MODEL=data/llava \(graph == "factual" ? "REWARD=facts" : "") runs/x/settings runs/x/recipe.toml
            for file in scenes/{test,pool,round-1,round-2,known}/prompts.jsonl reward/{candidates,pairs}.jsonl \
                reward/facts/reward_head.safetensors {base,round-1,round-2}/eval/scores.json; do
                mkdir -p runs/x/$(dirname $file); touch runs/x/$file
            done
            """)
    }

    @Test func controlsShareTheRunsScenesAndBase() throws {
        let shop = try workshop()
        try run(shop, graph: "csr")
        func all(_ program: String) throws -> [String] { try lines(shop, "controls RUN=x", of: program) }
        let scenes = try all("scenes")
        #expect(scenes.count == 1 && scenes[0].contains("--split dev --count 500 "))
        let (samples, scored) = (try all("sample"), try all("calibrate"))
        for kind in ["other-picture", "random-pairs"] {
            for round in 1...2 {
                let folder = "runs/x/controls/\(kind)"
                #expect(
                    samples.count { line in
                        line.contains("-o \(folder)/round-\(round)/candidates.jsonl")
                            && line.contains(
                                "sample runs/x/scenes/round-\(round)/prompts.jsonl --config \(folder)/recipe.toml"
                            )
                    } == 1)
                #expect(
                    scored.count { line in
                        line.contains("-o \(folder)/round-\(round)/scored.jsonl")
                            && line.contains("--picture other") == (kind == "other-picture")
                    } == 1)
            }
        }
        #expect(samples.count == 4)
        let tests = try all("eval")
        // The base's captions of other pictures, the blind edit, two rounds of two controls, and tables.
        #expect(!tests.contains { $0.contains("-o runs/x/base/eval") })
        #expect(tests.count { $0.hasPrefix("sightline eval --config") } == 5)
        #expect(tests.contains { $0.hasPrefix("sightline eval blind --learn runs/x/controls/dev/eval ") })
        #expect(
            tests.contains {
                $0.hasPrefix(
                    "sightline eval ask-back --model data/llava --compute f32 --apply runs/x/base/eval ")
            })
        let table =
            "base=runs/x/base round-2=runs/x/round-2 blind=runs/x/controls/blind ask-back=runs/x/controls/ask-back "
            + "other-picture=runs/x/controls/other-picture/round-2 random-pairs=runs/x/controls/random-pairs/round-2 "
        #expect(tests.last?.contains(table) == true, "\(tests.last ?? "")")
    }

    /// Comparisons are the run's; a reward model is trained anew only where it looks elsewhere.
    @Test func rewardModelsAreSharedWhereTheyLookAtTheSame() throws {
        let shop = try workshop()
        try run(shop, graph: "factual")
        let trained = try lines(shop, "controls RUN=x", of: "reward-train")
        #expect(
            trained.count == 1 && trained[0].contains("runs/x/controls/other-picture/reward/facts"),
            "\(trained)")
        let scored = try lines(shop, "controls RUN=x", of: "calibrate")
        #expect(scored.count { $0.contains("--reward runs/x/reward/facts ") } == 2)
    }

    @Test func aGraphWithoutAPictureInItsRewardHasNoSuchControl() throws {
        let shop = try workshop()
        try run(shop, graph: "rlhf-v")
        let tables = try lines(shop, "controls RUN=x", of: "eval compare")
        #expect(
            tables.last?.contains("random-pairs=") == true && tables.last?.contains("other-picture") == false)
        let ended = try shop.run("\(Self.make) controls RUN=y")
        #expect(ended.code != 0 && ended.errors.contains("runs/y has no scored round; make run RUN=y"))
    }
}
