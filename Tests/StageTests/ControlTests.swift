import Foundation
import Testing

/// Controls: rewards on another's picture, and pairs in random order. Tiny random models over drawn scenes.
struct ControlTests {
    private static let sample = """
        sightline sample scenes/prompts.jsonl --model $LLAVA --image-root scenes --mode tree --relevance $CLIP \
        --children 4 --max-sentences 3 --max-tokens 6 --no-ledger --quiet
        """
    private static let calibrate =
        "sightline calibrate drawn.jsonl --relevance $CLIP --image-root scenes --no-ledger --quiet"
    private static let critic = """
        sightline self-critic drawn.jsonl --model $LLAVA --image-root scenes --prompt-file ask.txt --max-tokens 4 \
        --reference --no-ledger --quiet
        """
    private static let grade =
        "sightline calibrate drawn.jsonl --reward reward --model $LLAVA --image-root scenes --no-ledger --quiet"

    /// Twenty scenes of four contexts with drawn answers, a reward model and a critic's question.
    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.write("{#facts}Seen: {facts}\n{/facts}Good?{reply}It is\n", to: "grade.txt")
        try shop.write(
            "{question}{#reference} {reference}{/reference} 1 {answer_1} 2 {answer_2}\n", to: "ask.txt")
        try shop.succeed(
            """
            set -e
            sightline scenes --split train --count 20 --size 32 --kind prompts -o scenes --quiet
            sed -i 's/"reference":"[^"]*"/"reference":"none"/; s/"facts":\\[[^]]*\\],//' scenes/prompts.jsonl
            \(Self.sample) -o drawn.jsonl
            sed 's/}$/,"chosen":"a cup","rejected":"a dog"}/' scenes/prompts.jsonl >pairs.jsonl
            """)
        return shop
    }

    private static let train = """
        sightline reward-train pairs.jsonl --model $LLAVA --prompt-file grade.txt --image-root scenes --rank 2 \
        --batch 4 --no-ledger --quiet
        """

    /// Another's picture in the place of the own one gives exactly what the record's own would give with it.
    @Test func rewardsAreThoseOfTheOtherPicture() throws {
        let shop = try workshop()
        try shop.succeed("\(Self.calibrate) -o own.jsonl; \(Self.calibrate) --picture other -o other.jsonl")
        try #require(shop.lines("own.jsonl").allSatisfy { !$0.contains("reward_picture") })
        let lines = try shop.lines("other.jsonl")
        let others = try lines.map { line in
            try #require(line.firstMatch(of: /"reward_picture":"([^"]+)"/).map { String($0.output.1) })
        }
        // The same records with that picture written into them.
        let swapped = zip(try shop.lines("drawn.jsonl"), others).map { line, other in
            line.replacing(/"image":"[^"]*"/, with: #""image":"images/\#(other).png""#) + "\n"
        }
        try shop.write(swapped.joined(), to: "drawn.jsonl")
        try shop.succeed("\(Self.calibrate) -o swapped.jsonl")
        let scores = try [lines, shop.lines("swapped.jsonl"), shop.lines("own.jsonl")].map { lines in
            lines.map { $0.matches(of: /"scores":\{[^}]*\}/).map { String($0.output) } }
        }
        #expect(scores[0] == scores[1])
        #expect(scores[0] != scores[2])
        // What looks at no picture says so.
        let idle = try shop.run("sightline calibrate other.jsonl --picture other -o out --no-ledger")
        #expect(idle.code == 64 && idle.errors.contains("--picture: belongs to --relevance and --reward"))
    }

    /// Only the steering looks elsewhere: the first sentences, which nothing has steered yet, are the same.
    @Test func answersAreDrawnLookingAtTheOwnPicture() throws {
        let shop = try workshop()
        try shop.succeed("\(Self.sample) --picture other -o other.jsonl")
        func roots(_ name: String) throws -> [[String]] {
            try shop.lines(name).map { line in
                line.matches(of: /\{"parent":-1,"text":"([^"]*)"/).map { String($0.output.1) }
            }
        }
        #expect(try roots("other.jsonl") == roots("drawn.jsonl"))
        #expect(try shop.read("other.jsonl") != shop.read("drawn.jsonl"))
        #expect(try shop.lines("other.jsonl").allSatisfy { $0.contains(#""reward_picture":"train-"#) })
    }

    /// A reference or facts of the own picture would let the control see it after all: records that differ in
    /// nothing else are judged alike.
    @Test func whatIsKnownOfTheOwnPictureIsNotShown() throws {
        let shop = try workshop()
        try shop.succeed("\(Self.train) -o reward; \(Self.train) --picture other -o blind")
        #expect(
            try shop.bytes("reward/reward_head.safetensors") != shop.bytes("blind/reward_head.safetensors"))
        #expect(try shop.read("blind/reward_config.json").contains(#""picture":"other""#))
        let stages = [Self.critic, Self.grade]
        func results(_ picture: String) throws -> [String] {
            try stages.map { try shop.succeed("\($0) --picture \(picture)").output }
                .map { $0.replacing(/"reference":"[^"]*"|"facts":\[[^\]]*\],?/, with: "") }
        }
        let before = (own: try results("own"), other: try results("other"))
        #expect(
            before.other[0].contains("+reference+other-picture") && before.other[0].contains("reward_picture")
        )
        // One record that stands in for no other gets another reference and facts.
        let drawn = try shop.lines("drawn.jsonl")
        let taken = Set(before.other[0].matches(of: /"reward_picture":"([^"]+)"/).map { String($0.output.1) })
        let place = try #require(
            drawn.firstIndex { line in !taken.contains { line.hasPrefix(#"{"id":"\#($0)""#) } })
        var lines = drawn
        lines[place] = lines[place].replacing(
            #""reference":"none""#,
            with:
                #""reference":"A large red dog and a cup","facts":[{"kind":"object","text":"a large red dog"}]"#
        )
        try shop.write(lines.map { $0 + "\n" }.joined(), to: "drawn.jsonl")
        #expect(try results("other") == before.other)
        #expect(try results("own")[1] != before.own[1])
    }

    /// Not on the shard, the batch, the order of the records, nor on where a run was resumed.
    @Test func neighboursDoNotMatter() throws {
        let shop = try workshop()
        try shop.succeed("\(Self.train) -o reward")
        for stage in [Self.sample, Self.calibrate, Self.critic, Self.grade] {
            let stage = stage + " --picture other"
            try shop.succeed("rm -f all* part*; \(stage) -o all; \(stage) --batch 3 --threads 1 -o again")
            #expect(try shop.bytes("all") == shop.bytes("again"))
            let all = try shop.lines("all")
            for k in 1...3 {
                let shard = try shop.succeed("\(stage) --shard \(k)/3").output.split(separator: "\n")
                #expect(shard.map(String.init) == stride(from: k - 1, to: 20, by: 3).map { all[$0] })
            }
            let input = stage.contains("scenes/prompts.jsonl") ? "scenes/prompts.jsonl" : "drawn.jsonl"
            try shop.succeed(
                "cp \(input) kept; tac kept >\(input); \(stage) | tac | cmp - all; cp kept \(input)")
        }
        // A part that stopped at its tenth record.
        let stage = Self.calibrate + " --picture other --batch 1"
        let process = try shop.start("exec \(stage) --threads 1 -o resumed")
        while process.isRunning, try !shop.has("resumed.part") || shop.bytes("resumed.part").isEmpty {
            usleep(500)
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try shop.succeed("\(stage) --resume -o resumed; \(stage) -o whole; cmp resumed whole")
    }

    @Test func whatCannotBeDrawnIsTold() throws {
        let shop = try workshop()
        for (line, code, words) in [
            (
                "cat drawn.jsonl | \(Self.calibrate.replacing("drawn.jsonl ", with: ""))", 64,
                "name files as input"
            ),
            (
                "sed -i '2s/\"context\":\"[a-z]*\"/\"context\":\"moon\"/' drawn.jsonl; \(Self.calibrate)", 1,
                #"drawn.jsonl:2: --picture other: no other picture of the context "moon" for "train-0-000001""#
            ),
            (
                "\(Self.sample.replacing("--mode tree --relevance $CLIP", with: "--mode tree --lambda 0"))",
                64,
                "--picture: belongs to --relevance"
            ),
        ] {
            let ended = try shop.run("\(line) --picture other -o out")
            #expect(ended.code == code && ended.errors.contains(words), "\(ended.errors)")
            #expect(!shop.has("out"))
        }
    }

    // MARK: - Random order

    /// The answers that the rule would pair, each pair by a coin of its own, whatever made it.
    @Test(arguments: ["scores", "reference", "corrections", "verdicts", "pairs"])
    func theSamePairsInAnyOrder(source: String) throws {
        let shop = try Workshop()
        let wrong = "At the top left is a small red dog. In the middle is a large green bus."
        try shop.succeed(
            "sightline scenes --split train --count 60 --size 16 --kind prompts -o scenes --quiet")
        let records = try shop.lines("scenes/prompts.jsonl").enumerated().map { number, line in
            let candidates = [("c0", wrong), ("c1", "A park is here. It is nice.")].map {
                #"{"id":"\#($0)","text":"\#($1)","scores":{"calibrated":\#($0 == "c0" ? number : 0)}}"#
            }
            return "\(line.dropLast()),\"candidates\":[\(candidates.joined(separator: ","))],"
                + #""verdicts":[{"critic":"c","order":["c0","c1"],"choice":"c0","raw":"1"}],"#
                + #""chosen":"a","rejected":"b","weights":{"chosen":[[0,1,5]],"rejected":[]}}"# + "\n"
        }
        try shop.write(records.joined(), to: "r.jsonl")
        let bounds = ["scores", "verdicts"].contains(source) ? "--word-tolerance 1" : ""
        let pair = """
            sightline pair r.jsonl --from \(source) \(bounds) \(source == "verdicts" ? "--one-order" : "") \
            --no-ledger --quiet
            """
        func pairs(_ options: String) throws -> [[String: String]] {
            try shop.succeed("\(pair) \(options)").output.split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
                var pair = ["id", "chosen", "rejected", "margin", "source"].reduce(into: [:]) { pair, key in
                    pair[key] = object[key].map { "\($0)" }
                }
                pair["weights"] = line.firstMatch(of: /"weights":(\{.*?\})/).map { String($0.output.1) }
                return pair
            }
        }
        let (rule, random) = (try pairs(""), try pairs("--order random"))
        #expect(rule.count == random.count && rule.count > 25)
        #expect(try pairs("--order random") == random && pairs("--order random --seed 1") != random)
        var turned = 0
        for (ours, theirs) in zip(rule, random) {
            #expect(ours["id"] == theirs["id"])
            #expect(theirs["source"] == "random/\(ours["source"] ?? "pairs")")
            if ours["chosen"] == theirs["chosen"] {
                #expect(ours["rejected"] == theirs["rejected"] && ours["margin"] == theirs["margin"])
                continue
            }
            turned += 1
            #expect(ours["chosen"] == theirs["rejected"] && ours["rejected"] == theirs["chosen"])
            if let margin = ours["margin"].flatMap(Double.init) {
                #expect(theirs["margin"].flatMap(Double.init) == -margin)
            }
            if source == "pairs" { #expect(ours["weights"] != theirs["weights"]) }
        }
        // Beyond four deviations of a fair coin.
        #expect(abs(Double(turned) - Double(rule.count) / 2) < 2 * Double(rule.count).squareRoot())
        // A record's coin doesn't depend on the others'.
        try shop.succeed("tac r.jsonl >t && mv t r.jsonl")
        if source != "scores" { #expect(try pairs("--order random") == random.reversed()) }
    }
}
