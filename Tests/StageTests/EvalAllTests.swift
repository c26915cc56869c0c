import Foundation
import Testing

/// `make eval-all`: which rows there are, and that they are what they are called.
struct EvalAllTests {
    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.succeed("ln -s \(Workshop.fixtures)/../../{Makefile,pipelines,data} .; mkdir runs")
        return shop
    }

    private static let make = "make --no-print-directory -o build"

    /// The calls of a program, each whole.
    private func calls(_ shop: Workshop, _ typed: String, of program: String) throws -> [String] {
        try shop.succeed("\(Self.make) -n eval-all \(typed)").output.replacing("\\\n", with: " ")
            .split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
            .filter { $0.hasPrefix("sightline \(program) ") }
    }

    private static func rows(_ calls: [String]) -> [String] {
        calls.compactMap {
            $0.wholeMatch(of: /sightline eval run .*\/benchmarks\/(.*)\/eval/).map { String($0.1) }
        }
    }

    @Test func aModelStandsBesideWhatNeedsNoPicture() throws {
        let shop = try workshop()
        let evaluations = try calls(shop, "", of: "eval run")
        #expect(Self.rows(evaluations) == ["base", "other-picture", "yes", "majority"])
        #expect(
            evaluations.allSatisfy {
                $0.contains(" pope chair mme mmbench gqa textvqa --data runs/eval-all/")
            })
        for (call, part) in zip(
            evaluations,
            [
                "files/images --model ",
                "files/others --model ",
                "files/images --guess yes -o ", "files/images --guess majority -o ",
            ])
        { #expect(call.contains(part), "\(call)") }
        #expect(evaluations[0].contains("/data/llava --compute f32 -o "))
        #expect(
            try calls(shop, "TEST=7", of: "scenes")
                == [
                    "sightline scenes --split test --count 7 --kind benchmarks -o runs/eval-all/benchmarks/files"
                ])
        #expect(!shop.has("runs/eval-all"))
    }

    @Test func aRunAddsItsLastRound() throws {
        let shop = try workshop()
        try shop.succeed(
            """
            mkdir -p runs/x/round-{9,10}/adapter runs/x/round-11/adapter.part
            touch runs/x/recipe.toml; echo MODEL=$LLAVA >runs/x/settings
            """)
        let evaluations = try calls(shop, "RUN=x", of: "eval run")
        #expect(Self.rows(evaluations) == ["base", "round-10", "other-picture", "yes", "majority"])
        #expect(evaluations[0].contains("llava-grouped --config runs/x/recipe.toml -o"))
        #expect(evaluations[1].contains("--model runs/x/round-10 --config runs/x/recipe.toml -o"))
        #expect(
            try calls(shop, "RUN=x", of: "eval compare")[0].contains(" round-10=runs/x/benchmarks/round-10 "))
    }

    @Test func anAdapterIsARowOfItsOwn() throws {
        let evaluations = try calls(workshop(), "MODEL=$LLAVA ADAPTER=$ADAPTER", of: "eval run")
        #expect(Self.rows(evaluations) == ["base", "adapter", "other-picture", "yes", "majority"])
        #expect(evaluations.map { $0.contains("--adapter ") } == [false, true, false, false, false])
        #expect(!evaluations[0].contains("--compute"))
    }

    @Test(arguments: [
        ("ROUNDS=2", "ROUNDS=2: eval-all doesn't use it"),
        ("ADAPTER='a b'", "ADAPTER=a b: it has a space"),
    ])
    func whatHasNoEffectIsRefused(typed: String, says: String) throws {
        let ended = try workshop().run("\(Self.make) -n eval-all \(typed)")
        #expect(ended.code != 0 && ended.errors.contains(says), "\(ended.errors)")
        let rounds = try workshop().run("\(Self.make) -n csr RUN=x ADAPTER=data/critic")
        #expect(
            rounds.code != 0 && rounds.errors.contains("the graph csr doesn't use it"), "\(rounds.errors)")
    }

    /// All of it, on few pictures; a second call finds all of it there, and another model doesn't take it for its own.
    @Test func onePageComesOfSixBenchmarks() throws {
        let shop = try workshop()
        let told = try shop.succeed("\(Self.make) eval-all TEST=8")
        #expect(told.output.contains("POPE mean accuracy"), "\(told.output)")
        #expect(try shop.read("runs/eval-all/benchmarks/report.html").contains("MMBench"))
        let summary = try JSONDecoder().decode(
            [String: [String: Double]].self, from: shop.bytes("runs/eval-all/benchmarks/summary.json"))
        let base = try #require(summary["base"])
        for key in ["pope_mean_accuracy", "chair_wordnet_s", "mme_color", "mmbench", "gqa", "textvqa"] {
            #expect(base[key] != nil, "\(key)")
        }
        #expect(summary["yes"]?["pope_mean_accuracy"] == 0.5 && summary["yes"]?["mme_existence"] == 50)
        let seen = try #require(base["pope_random_accuracy"])
        let unseen = try #require(summary["other-picture"]?["pope_random_accuracy"])
        #expect(seen > 0.8 && unseen < seen - 0.1, "\(seen), \(unseen)")
        #expect(try calls(shop, "TEST=8", of: "eval").isEmpty)
        #expect(Self.rows(try calls(shop, "TEST=8 MODEL=$LLAVA", of: "eval run")).contains("base"))
    }
}
