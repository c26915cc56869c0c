import Foundation
import Testing

/// What is said of a graph's recipe and variables before its first stage works.
struct RecipeCheckTests {
    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.succeed("ln -s \(Workshop.fixtures)/../../{Makefile,pipelines,data} .; mkdir runs")
        return shop
    }

    private static let csr = "make --no-print-directory -f pipelines/csr.mk RUN=x PROMPTS=4 TEST=4"

    @Test(arguments: [
        ("[dpo-tarin]\nbeta = 0.2\n", "table [dpo-tarin]: no such program; did you mean [dpo-train]?"),
        ("[dpo-train]\nbata = 0.2\n", "[dpo-train] bata: no such option; did you mean \"beta\"?"),
        // The rest is what only the stage itself knows.
        ("[dpo-train]\nbeta = -1\n", "--beta -1.0: give a number above 0"),
        ("[pair]\nfrom = \"verdicts\"\nmin-margin = 1\n", "--min-margin: belongs to --from scores"),
    ])
    func aFaultOfALateStageStopsTheFirst(recipe: String, says: String) throws {
        let shop = try workshop()
        try shop.write("[sample]\nmode = \"tree\"\n\(recipe)", to: "mine.toml")
        let ended = try shop.run("\(Self.csr) RECIPE=./mine.toml")
        #expect(ended.code != 0)
        #expect(ended.errors.ranges(of: says).count == 1, "\(ended.errors)")
        #expect(ended.errors.contains("./mine.toml: it can't be run"), "\(ended.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.file("runs")).isEmpty)
    }

    /// Every recipe that comes along is taken by its graph.
    @Test(arguments: [
        ("csr", ["default", "paper", "code", "demo", "own", "likelihood", "relevance", "lambda-0.5"]),
        ("sima", ["sima", "sima-exact", "sima-no-metrics"]), ("gt", ["gt"]),
        ("rlhf-v", ["rlhf-v", "rlhf-v-code", "rlhf-v-plain"]), ("factual", ["factual"]),
        ("reward", ["factual"]),
    ])
    func aRecipeIsTakenByItsGraph(graph: String, recipes: [String]) throws {
        let shop = try workshop()
        for recipe in recipes {
            let file = "pipelines/recipes/\(recipe).toml"
            let make = "make --no-print-directory -n -f pipelines/\(graph).mk RUN=x ROUNDS=2 RECIPE=\(recipe)"
            let asked = try shop.succeed("\(make) | grep -c '^sightline .* --config'").output
            #expect((Int(asked.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 3, "\(recipe)")
            #expect(try shop.succeed("pipelines/ask.sh \(file) \(make) ASKING=1").errors.isEmpty, "\(recipe)")
        }
    }

    @Test func runsAreComparedByTheirNames() throws {
        let shop = try workshop()
        try shop.succeed(
            "for r in a/round-1 a/round-2 b/round-1; do mkdir -p runs/$r/eval; : >runs/$r/eval/scores.json; done"
        )
        let said = try shop.succeed("make -n -o build compare RUNS='csr=a csr=b b'").output.replacing(
            "\\\n\t", with: "")
        #expect(said.contains("base=runs/a/base "), "\(said)")
        #expect(said.contains(" csr=runs/a/round-2 csr=runs/b/round-1 b=runs/b/round-1 "), "\(said)")
    }

    /// What another graph would read, or this one over other data.
    @Test(arguments: [
        ("csr", "CRITIC=a.txt", "CRITIC=a.txt: the graph csr doesn't use it; leave it out"),
        ("sima", "BASELINE=a.jsonl", "the graph sima doesn't use it; leave it out"),
        ("sima", "RELEVANCE=pictures", "RELEVANCE=pictures: the graph sima doesn't use it; leave it out"),
        ("csr", "RELEVANCE=nosuch", "RELEVANCE=nosuch: there is no such file or folder"),
        ("csr", "PROMPTS=-3", "PROMPTS=-3: give a number from 1"),
        ("csr", "ROUNDS=1.5", "ROUNDS=1.5: give a number from 1, or next"),
        ("reward", "REWARD=facts", "the graph reward doesn't use it; leave it out"),
        ("rlhf-v", "COMPARISONS=5", "the graph rlhf-v doesn't use it; leave it out"),
        ("gt", "IMAGES=pictures", "the graph gt doesn't use it without DATA; leave it out"),
        ("gt", "DATA=prompts.jsonl TEST=5", "TEST=5: the graph gt doesn't use it with DATA"),
    ])
    func aVariableThatDoesNothingIsRefused(graph: String, typed: String, says: String) throws {
        let shop = try workshop()
        let ended = try shop.run("make -f pipelines/\(graph).mk RUN=x \(typed)")
        #expect(ended.code != 0 && ended.errors.contains(says), "\(ended.errors)")
    }

    @Test(arguments: [
        ("ROUND=3", "ROUND: no such variable; did you mean ROUNDS?"),
        ("RECIPES_=a", "RECIPES_: no such variable; did you mean RECIPE?"),
        ("rounds=3", "rounds: no such variable; there are PIPELINE RUN "),
    ])
    func aMisspeltVariableIsRefused(typed: String, says: String) throws {
        let shop = try workshop()
        for make in [Self.csr, "make -o build csr RUN=x", "make -f pipelines/controls.mk RUN=x"] {
            let ended = try shop.run("\(make) \(typed)")
            #expect(ended.code != 0 && ended.errors.contains(says), "\(ended.errors)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.file("runs")).isEmpty)
    }

    /// What would be refused beside the rest is printed as a comment.
    @Test(arguments: [
        "sample --model m", "sample --model m --mode tree --steer-by chance", "calibrate", "pair",
        "pair --unit sentence --blind-balance", "pair --from verdicts",
        "self-critic --model m --prompt-file p",
        "dpo-train --model m -o x", "reward-train --model m --prompt-file p -o x", "sft-train --model m -o x",
        "eval --model m --captions c -o x", "export --to trl", "import",
    ])
    func printedConfigurationsAreTaken(line: String) throws {
        let shop = try Workshop()
        let ended = try shop.run(
            "sightline \(line) --print-config >c.toml && sightline \(line) --config c.toml --print-config | cmp - c.toml"
        )
        #expect(ended.code == 0, "\(ended.errors)")
        #expect(try shop.read("c.toml").contains("\n"))
    }
}
