import Foundation
import Testing

/// The thinnest whole chain, from pictures to scores, on tiny random models: everything but the models is as
/// in a run of the default recipe.
struct ChainTests {
    /// Keys that no stage knows, written as no printer of ours would.
    private static let unknown =
        #""Big": 9007199254740993,"one":1.0,"minus":-0.0,"huge":1e400,"esc":"\u00e9""#

    private static let sample = """
        sightline sample scenes/prompts.jsonl --model $LLAVA --image-root scenes --mode tree --relevance $CLIP \
        --children 4 --max-sentences 2 --max-tokens 6 --seed 3 --quiet
        """
    private static let calibrate =
        "sightline calibrate --relevance $CLIP --image-root scenes --quiet"
    private static let pair = "sightline pair --keep-all --quiet"

    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.succeed(
            "sightline scenes --split train --count 6 --size 32 --kind prompts -o scenes --quiet")
        let lines = try shop.lines("scenes/prompts.jsonl").map { "\($0.dropLast()),\(Self.unknown)}\n" }
        try shop.write(lines.joined(), to: "scenes/prompts.jsonl")
        return shop
    }

    @Test func fromPicturesToScores() throws {
        let shop = try workshop()
        try shop.succeed(
            """
            set -e
            mkdir runs
            \(Self.sample) -o candidates.jsonl
            \(Self.calibrate) candidates.jsonl -o scored.jsonl
            \(Self.pair) scored.jsonl --audit audit.json -o pairs.jsonl
            sightline dpo-train pairs.jsonl --model $LLAVA --image-root scenes --rank 2 --batch 2 --epochs 3 \
                --hold-out 0 -o adapter
            sightline scenes --split test --count 3 --size 32 -o test
            exam="--captions test/prompts.jsonl --pope test/pope_random.jsonl --mme test/mme.jsonl --image-root test"
            mkdir base after
            sightline eval --model $LLAVA $exam --caption-tokens 6 -o base/eval
            sightline eval --model $LLAVA --adapter adapter $exam --caption-tokens 6 -o after/eval
            sightline eval compare base=base round-1=after -o summary.json >table.txt
            """)
        for name in ["candidates.jsonl", "scored.jsonl", "pairs.jsonl"] {
            for line in try shop.lines(name) {
                #expect(line.contains(Self.unknown), "\(name) changed what it doesn't know: \(line)")
            }
        }
        #expect(try shop.lines("candidates.jsonl").count == 6)
        #expect(try shop.lines("pairs.jsonl").count == 6)
        let metrics = try shop.lines("adapter/metrics.jsonl").map { try numbers($0) }
        #expect(metrics.count == 9)
        // A fresh adapter changes nothing: a NaN, a skipped batch or a wrong reference can't give ln 2.
        #expect(abs((metrics[0]["loss"] ?? .nan) - 0.693147) < 1e-5)
        // Equal rewards are no success.
        #expect(metrics[0]["rewards/accuracies"] == 0)
        #expect(metrics[8]["loss"] ?? .nan < 0.69)
        let summary = try JSONDecoder().decode(
            [String: [String: Double]].self, from: shop.bytes("summary.json"))
        #expect(summary.keys.sorted() == ["base", "round-1"])
        #expect(summary["base"]?["n"] == 3)
        #expect(summary["base"]?["chair_s"] != nil && summary["round-1"]?["mme_color"] != nil)
        #expect(try shop.read("table.txt").contains("round-1"))
        let stages = try shop.succeed("sightline ledger list --json").output.split(separator: "\n")
        #expect(stages.count == 8)
        #expect(stages.allSatisfy { $0.contains(#""outcome":"done""#) })
        let lineage = try shop.succeed("sightline ledger lineage adapter").output
        for name in ["pairs.jsonl", "scored.jsonl", "candidates.jsonl", "prompts.jsonl"] {
            #expect(lineage.contains(name))
        }
    }

    @Test func theSecondRoundFoldsTheFirst() throws {
        let shop = try workshop()
        let train =
            "sightline dpo-train pairs.jsonl --model $LLAVA --image-root scenes --rank 2 --hold-out 0 --quiet"
        try shop.succeed(
            """
            set -e
            \(Self.sample) | \(Self.calibrate) | \(Self.pair) >pairs.jsonl
            \(train) --batch 2 --epochs 4 --learning-rate 0.02 -o one
            \(train) --adapter one --alpha 6 -o two
            \(train.replacing("--rank 2", with: "")) --adapter one --initial-adapter two -o three
            sightline merge --model $LLAVA --adapter one -o merged
            \(train.replacing("$LLAVA", with: "merged")) -o merged-two
            """)
        #expect(abs(try first("loss", of: "two", shop) - 0.693147) < 1e-5)
        for name in ["two", "three"] {
            #expect(try shop.read("\(name)/adapter_config.json").contains(/"lora_alpha" ?: ?6\b/), "\(name)")
        }
        let folded = try first("logps/chosen", of: "two", shop)
        let merged = try first("logps/chosen", of: "merged-two", shop)
        let fresh = try first("logps/chosen", of: "one", shop)
        #expect(abs(folded - merged) < 1e-3 * abs(folded))
        #expect(abs(folded - fresh) > 1e-3 * abs(folded), "the first adapter changed nothing")
    }

    /// RLHF-V: answers put right by the scene, with what was changed weighing more.
    @Test func correctionsAndTheirWeights() throws {
        let shop = try workshop()
        let wrong =
            "At the top left is a small red dog. In the middle is a large green bus. A dog waits nearby."
        let lines = try shop.lines("scenes/prompts.jsonl").map {
            "\($0.dropLast()),\"nodes\":[],\"candidates\":[{\"id\":\"c0\",\"path\":[],\"text\":\"\(wrong)\"}]}\n"
        }
        try shop.write(lines.joined(), to: "answers.jsonl")
        let train =
            "sightline dpo-train pairs.jsonl --model $LLAVA --image-root scenes --rank 2 --batch 2 --hold-out 0 --quiet"
        try shop.succeed(
            """
            set -e
            sightline pair answers.jsonl --from corrections -o plain.jsonl --quiet
            sightline pair answers.jsonl --from corrections --align-edits $LLAVA -o pairs.jsonl --quiet
            sightline pair plain.jsonl --from pairs --align-edits $LLAVA -o again.jsonl --quiet
            \(train) -o summed
            \(train) --gamma 5 --normalize --beta 0.5 -o weighed
            \(train) --gamma 1 --normalize --beta 0.5 -o mean
            """)
        #expect(try shop.bytes("pairs.jsonl") == shop.bytes("again.jsonl"))
        #expect(try !shop.read("plain.jsonl").contains("\"weights\""))
        #expect(try shop.lines("pairs.jsonl").contains { $0.contains(#""weights":{"chosen":[["#) })
        for name in ["summed", "weighed", "mean"] {
            #expect(abs(try first("loss", of: name, shop) - 0.693147) < 1e-5)
        }
        #expect(try shop.read("summed/pairs.jsonl").contains("ref_logps"))
        #expect(try !shop.read("weighed/pairs.jsonl").contains("ref_logps"))
        let (weighed, mean) = (
            try shop.bytes("weighed/adapter_model.safetensors"),
            try shop.bytes("mean/adapter_model.safetensors")
        )
        #expect(weighed != mean)
    }

    /// Positions beyond the model's would read past its rotary table.
    @Test(arguments: ["--count 3", "--mode tree --relevance $CLIP --max-sentences 40"])
    func noAnswerOutgrowsTheModel(mode: String) throws {
        let shop = try Workshop(prompts: 8)
        let drawn = try shop.succeed("sightline sample prompts.jsonl --model $LLAVA --max-tokens 400 \(mode)")
            .output
        let texts = try JSONDecoder().decode(
            [Drawn].self, from: Data("[\(drawn.split(separator: "\n").joined(separator: ","))]".utf8))
        let lengths = texts.flatMap(\.lengths)
        // 256 positions, of which some 30 are the prompt's and one the end token's.
        #expect(lengths.max() ?? 0 > 200 && lengths.max() ?? 0 < 240)
    }

    private struct Drawn: Decodable {
        struct Node: Decodable {
            let parent: Int
            let ids: [Int]
        }
        let nodes: [Node]

        /// Tokens from the prompt up to and with each sentence.
        var lengths: [Int] {
            nodes.reduce(into: []) { lengths, node in
                lengths.append((node.parent < 0 ? 0 : lengths[node.parent]) + node.ids.count)
            }
        }
    }

    @Test func aPipeGivesWhatFilesGive() throws {
        let shop = try workshop()
        let piped = try shop.succeed("\(Self.sample) | \(Self.calibrate) | \(Self.pair)")
        #expect(piped.errors.isEmpty)
        try shop.succeed(
            """
            \(Self.sample) -o candidates.jsonl && \(Self.calibrate) candidates.jsonl -o scored.jsonl &&
            \(Self.pair) scored.jsonl -o pairs.jsonl
            """)
        #expect(try shop.read("pairs.jsonl") == piped.output)
        let chosen = try shop.succeed("head -5 scenes/prompts.jsonl | \(Self.piped)").output
        #expect(chosen.split(separator: "\n").count == 5)
    }

    private static let piped =
        sample.replacing("scenes/prompts.jsonl ", with: "") + " | \(calibrate) | \(pair)"

    @Test(arguments: [
        "\(sample) --batch 1", "\(sample) | \(calibrate)", "\(sample) | \(calibrate) | \(pair)",
    ])
    func aReaderThatGoesAwayIsNoFailure(stages: String) throws {
        let shop = try workshop()
        let head = try shop.succeed("\(stages) | head -1")
        #expect(head.output.split(separator: "\n").count == 1)
        #expect(head.errors.isEmpty)
        #expect(try shop.succeed("\(stages) | true").errors.isEmpty)
    }

    /// A metric of the first step.
    private func first(_ metric: String, of adapter: String, _ shop: Workshop) throws -> Double {
        let line = try #require(shop.lines("\(adapter)/metrics.jsonl").first)
        return try #require(numbers(line)[metric])
    }

    private func numbers(_ line: String) throws -> [String: Double] {
        try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
    }

    /// What breaks off has no end to learn; whole answers have one.
    @Test func sentencePairsTrainWithoutEnd() throws {
        let shop = try workshop()
        let pair = "\(Self.pair) scored.jsonl --pairs 2"
        try shop.succeed(
            """
            set -e
            \(Self.sample) -o candidates.jsonl
            \(Self.calibrate) candidates.jsonl -o scored.jsonl
            \(pair) --unit sentence -o sentences.jsonl
            \(pair) -o answers.jsonl
            for unit in sentences answers; do
                sightline dpo-train $unit.jsonl --model $LLAVA --image-root scenes --dump-tokens -o none >$unit.txt 2>&1
            done
            sightline dpo-train sentences.jsonl --model $LLAVA --image-root scenes --rank 2 --batch 4 -o adapter --quiet
            """)
        let pairs = try shop.lines("sentences.jsonl")
        #expect(pairs.count >= 6 && pairs.allSatisfy { $0.contains(#""partial":true"#) })
        func ends(_ unit: String) throws -> Int {
            try shop.lines("\(unit).txt").count { $0.contains("</s>") }
        }
        #expect(try ends("sentences") == 0)
        #expect(try ends("answers") == shop.lines("answers.jsonl").count)
        let refused = try shop.run("sightline pair scored.jsonl --unit sentence --prefix-slack 0.5")
        #expect(refused.code == 64 && refused.errors.contains("--unit answer"))
    }

    /// The first drawn sentence of each level goes on, and where it ends the answer nothing is drawn behind it.
    @Test func chanceKeepsWhatWasDrawnFirst() throws {
        let shop = try workshop()
        try shop.succeed(
            """
            sightline sample scenes/prompts.jsonl --model $LLAVA --image-root scenes --mode tree --steer-by chance \
                --children 4 --keep-top 1 --keep-bottom 0 --max-sentences 3 --max-tokens 6 --end-token passes \
                --max-characters 400 --quiet -o drawn.jsonl
            """)
        var deeper = 0
        for line in try shop.lines("drawn.jsonl") {
            let parents = line.matches(of: /"parent":(-?[0-9]+)/).compactMap { Int($0.output.1) }
            for (index, parent) in parents.enumerated() where parents.contains(index) {
                #expect(parents.firstIndex(of: parent) == index, "\(line)")
                deeper += 1
            }
        }
        #expect(deeper > 0)
    }
}
