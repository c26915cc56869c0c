import Foundation
import Testing

/// From comparisons by known scenes to scored answers, on the tiny random LLaVA.
struct RewardTests {
    private static let train = """
        sightline reward-train pairs.jsonl --model $LLAVA --prompt-file grade.txt --image-root scenes --rank 4 \
        --learning-rate 5e-3 --batch 4 --epochs 6 --hold-out 0 --no-ledger --quiet
        """

    private static let facts = #"{"kind":"object","text":"cup"},{"kind":"caption","text":"two"}"#

    /// Pairs whose better answer says what the facts say.
    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.write("{#facts}Seen: {facts}\n{/facts}Good?{reply}It is\n", to: "grade.txt")
        try shop.succeed(
            "sightline scenes --split train --count 8 --size 32 --kind prompts -o scenes --quiet")
        let prompts = try shop.lines("scenes/prompts.jsonl").map { line in
            line.replacing(/"facts":\[.*?\],"scene"/, with: #""facts":[\#(Self.facts)],"scene""#)
        }
        let pairs = prompts.map { "\($0.dropLast()),\"chosen\":\"a cup\",\"rejected\":\"a dog\"}\n" }
        try shop.write(pairs.joined(), to: "pairs.jsonl")
        let answers = [("a cup", "stop"), ("a dog", "length"), ("This is a street.", "stop")]
        let drawn = prompts.map { line in
            let nodes = answers.map {
                #"{"parent":-1,"text":"\#($0)","ids":[5,6],"logprob":-1,"end":"\#($1)"}"#
            }
            let candidates = answers.enumerated().map {
                #"{"id":"c\#($0)","path":[\#($0)],"text":"\#($1.0)"}"#
            }
            return "\(line.dropLast()),\"nodes\":[\(nodes.joined(separator: ","))],"
                + "\"candidates\":[\(candidates.joined(separator: ","))]}\n"
        }
        try shop.write(drawn.joined(), to: "drawn.jsonl")
        return shop
    }

    private func losses(_ shop: Workshop, _ folder: String) throws -> [Double] {
        try shop.lines("\(folder)/metrics.jsonl").map { line in
            try #require(line.firstMatch(of: /"loss":([-0-9.e]+)/).flatMap { Double($0.output.1) })
        }
    }

    @Test func learnsScoresAndFollowsIntoPairs() throws {
        let shop = try workshop()
        try shop.succeed(
            """
            set -e
            \(Self.train) -o reward
            \(Self.train) -o plain --no-facts
            score="sightline calibrate drawn.jsonl --model $LLAVA --image-root scenes --no-ledger --quiet"
            $score --reward reward -o scored.jsonl
            $score --reward reward --batch 3 -o again.jsonl
            $score --reward plain -o plain.jsonl
            $score --reward reward --unfinished-penalty 8 --length-penalty 10 --length-limit 100 -o symbolic.jsonl
            sightline pair scored.jsonl --score reward --keep-fraction 1 --word-tolerance 1 -o preferred.jsonl --quiet
            """)
        for name in ["adapter_model.safetensors", "adapter_config.json", "reward_head.safetensors"] {
            #expect(shop.has("reward/\(name)"))
        }
        #expect(!shop.has("reward/checkpoint.safetensors"))
        let losses = try losses(shop, "reward")
        #expect(losses.count == 12)
        #expect(losses[11] < 0.5 * losses[0], "\(losses)")
        #expect(try shop.bytes("scored.jsonl") == shop.bytes("again.jsonl"))
        #expect(try shop.bytes("scored.jsonl") != shop.bytes("plain.jsonl"))
        // The head has learned that a cup is better than a dog.
        for line in try shop.lines("preferred.jsonl") { #expect(!line.contains(#""chosen":"a dog""#)) }
        #expect(try shop.lines("preferred.jsonl").count == 8)
        let scores = try shop.lines("symbolic.jsonl")[0].matches(
            of: /"graded":([-0-9.e]+),"reward":([-0-9.e]+)/
        ).map { (Double($0.output.1) ?? .nan) - (Double($0.output.2) ?? .nan) }
        #expect(scores.count == 3)
        // A hundred tokens cost 10; the second was cut.
        #expect(scores[0] >= 0.3 && scores[0] < 2)
        #expect(abs(scores[1] - 8 - scores[0]) < 0.5)
    }

    @Test func comparisonsComeFromKnownScenes() throws {
        let shop = try workshop()
        try shop.succeed(
            "sightline pair drawn.jsonl --score truth --keep-fraction 1 --word-tolerance 1 -o truth.jsonl --quiet"
        )
        for line in try shop.lines("truth.jsonl") {
            #expect(line.contains(#""source":"truth""#) && line.contains(#""facts":"#))
        }
        try shop.succeed("sed 's/\"scene\"/\"seen\"/' drawn.jsonl >unknown.jsonl")
        let ended = try shop.run("sightline pair unknown.jsonl --score truth -o out --quiet")
        #expect(ended.code == 1 && ended.errors.contains("unknown.jsonl:1: missing key: \"scene\""))
    }

    @Test func rewardsAreComparedByTruth() throws {
        let shop = try workshop()
        try shop.succeed(
            """
            set -e
            sed -E 's/"text":"a cup"\\}/"text":"a cup","scores":{"reward":1}}/;
                s/"text":"a dog"\\}/"text":"a dog","scores":{"reward":2}}/;
                s/"text":"This is a street."\\}/"text":"This is a street.","scores":{"reward":0}}/' \
                drawn.jsonl >a.jsonl
            sed 's/"reward":2/"reward":-2/' a.jsonl >b.jsonl
            sightline eval rewards a=a.jsonl b=b.jsonl --best-of 2 --word-tolerance 1 --resamples 200 -o r.json >table
            """)
        let table = try shop.read("table")
        #expect(table.contains("accuracy on pairs, %") && table.contains("given reward, best of 2"))
        #expect(shop.has("r.json"))
    }

    @Test func badInputIsTold() throws {
        let shop = try workshop()
        try shop.succeed("\(Self.train) --epochs 1 -o reward")
        for (line, code, words) in [
            (Self.train.replacing("grade.txt", with: "nowhere.txt"), 1, "--prompt-file nowhere.txt"),
            (Self.train.replacing("grade.txt", with: "pairs.jsonl"), 1, "{reply} occurs 0 times in it"),
            (Self.train + " --batch 0", 64, "--batch 0"),
            ("sightline calibrate drawn.jsonl --reward reward", 64, "--model"),
            ("sightline calibrate drawn.jsonl --reward reward --model $LLAVA --rescore", 64, "--reward"),
            ("sightline calibrate drawn.jsonl --reward scenes --model $LLAVA", 1, "reward_config.json"),
            ("sightline calibrate drawn.jsonl --reward reward --model $TIED", 1, "with digest"),
            (
                "sightline calibrate drawn.jsonl --reward reward --model $LLAVA --adapter $ADAPTER", 1,
                "with digest"
            ),
        ] {
            let ended = try shop.run("\(line) -o out")
            #expect(ended.code == code, "\(line): \(ended.errors)")
            #expect(ended.errors.contains(words), "\(words) is not in: \(ended.errors)")
            #expect(!shop.has("out"))
        }
        try shop.succeed("printf 'x%.0s' {1..900} >long; sed -i \"s/Good/$(cat long)/\" grade.txt")
        let long = try shop.run("\(Self.train) -o out")
        #expect(long.code == 1 && long.errors.contains("grading turn") && long.errors.contains("256"))
    }
}
