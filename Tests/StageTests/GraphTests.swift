import Foundation
import Testing

/// Every graph as a person runs it, on the models that come along and on few pictures.
struct GraphTests {
    /// A folder with a recipe that makes short rounds.
    private func workshop(over recipe: String, _ differences: String) throws -> Workshop {
        let shop = try Workshop()
        try shop.succeed("ln -s \(Workshop.fixtures)/../../{pipelines,data} .; mkdir runs")
        try shop.write(
            """
            base = "pipelines/recipes/\(recipe).toml"
            [sample]
            max-tokens = 48
            [dpo-train]
            epochs = 1
            [eval]
            caption-tokens = 12
            \(differences)
            """, to: "short.toml")
        return shop
    }

    /// Few answers, of which most are as true as another.
    private static let graded = """
        [pair]
        allow-ties = true
        min-margin = 0
        word-tolerance = 1
        [reward-train]
        epochs = 1
        """

    @Test(arguments: [
        (
            "csr", "own",
            """
            [calibrate]
            baseline-nearest = []
            [pair]
            blind-balance = false
            keep-fraction = 1
            """
        ),
        ("sima", "sima", "[pair]\none-order = true\nkeep-all = true"), ("rlhf-v", "rlhf-v", ""),
        ("gt", "gt", ""),
        ("factual", "factual", graded),
    ])
    func aRoundRunsFromPromptsToScores(graph: String, recipe: String, differences: String) throws {
        let shop = try workshop(over: recipe, differences)
        let line =
            "sightline run \(graph) --run x --recipe short.toml --prompts 12 --test 3"
            + (graph == "factual" ? " --comparisons 12" : "")
        let first = try shop.succeed(line)
        #expect(first.output.contains("round-1"), "\(first.output)")
        for file in [
            "candidates.jsonl", "pairs.jsonl", "adapter/adapter_model.safetensors", "eval/scores.json",
        ] { #expect(shop.has("runs/x/round-1/\(file)"), "\(file)") }
        let again = try shop.succeed("\(line) --dry-run").output
        #expect(!again.contains("sightline sample") && !again.contains("sightline dpo-train"), "\(again)")
        try shop.succeed("sightline report runs/x -o page.html")
        #expect(try shop.read("page.html").contains("src=\"data:image/png;base64,"))
    }

    @Test func twoRewardModelsAreHeldAgainstEachOther() throws {
        let shop = try workshop(over: "factual", Self.graded)
        let ended = try shop.succeed(
            "sightline run reward --run x --recipe short.toml --comparisons 12 --test 4")
        #expect(ended.output.contains("no-facts") && shop.has("runs/x/rewards.json"), "\(ended.output)")
    }

    @Test(arguments: ["controls", "csr", "eval-all", "factual", "gt", "models", "reward", "rlhf-v", "sima"])
    func eachGraphSaysItsSteps(graph: String) throws {
        let shop = try workshop(over: "default", "")
        try shop.succeed(
            "mkdir -p runs/y/{base,round-1}/eval; touch runs/y/{recipe.toml,{base,round-1}/eval/scores.json}")
        try shop.write("GRAPH=csr\nMODEL=data/llava\n", to: "runs/y/settings")
        let run = graph == "controls" ? "y" : "x"
        let steps = try shop.succeed("make -n -f pipelines/\(graph).mk RUN=\(run)").output
        #expect(steps.split(separator: "\n").count { $0.contains("sightline ") } > 3, "\(steps)")
        #expect(!shop.has("runs/x"))
    }
}
