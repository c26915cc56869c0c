import Foundation
import Testing

/// `--relevance-baseline`: what a sentence is worth on other pictures is taken off its relevance.
struct BaselineTests {
    private struct Line: Decodable {
        struct Node: Decodable {
            let parent: Int
            let end: String
            let logprob: Double
            let scores: [String: Double]

            var calibrated: Double { scores["calibrated"] ?? -.infinity }
        }
        let nodes: [Node]

        func all(_ score: String) -> [Double] { nodes.compactMap { $0.scores[score] } }
    }

    private static let calibrate =
        "sightline calibrate drawn.jsonl --relevance $CLIP --mode raw --no-ledger --quiet"
    private static let pool = "--relevance-baseline pool/pool.jsonl --baseline-root pool"

    /// Six prompts about four pictures with drawn answers, and a pool of three drawn pictures, one of them twice.
    private func workshop() throws -> Workshop {
        let shop = try Workshop(prompts: 6)
        try shop.succeed(
            """
            set -e
            sightline scenes --split train --start 50 --count 3 --size 32 --kind prompts -o pool --quiet --no-ledger
            sed 's/.*\\("image":"[^"]*"\\).*/{\\1}/' pool/prompts.jsonl >pool/pool.jsonl
            head -1 pool/pool.jsonl >>pool/pool.jsonl
            \(Self.sample) -o drawn.jsonl
            """)
        return shop
    }

    private static let sample = """
        sightline sample prompts.jsonl --model $LLAVA --mode tree --relevance $CLIP --calibration raw --end-token passes \
        --max-tokens 5 --max-sentences 3 --no-ledger --quiet
        """

    /// What a sentence has left where its picture is its own baseline.
    private static var nothing: Regex<Substring> { /"relevance":0\.0\b/ }

    private func lines(_ shop: Workshop, _ command: String) throws -> [Line] {
        try shop.succeed(command).output.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
    }

    /// The same sentences asked about each picture of the pool in turn give the means.
    @Test func relevanceIsTheCosineLessItsMeanOverThePool() throws {
        let shop = try workshop()
        let plain = try lines(shop, Self.calibrate)
        let based = try lines(shop, "\(Self.calibrate) \(Self.pool)")
        let others = try (0..<3).map { number in
            try lines(
                shop,
                """
                image=$(sed -n '\(number + 1)s/.*:"\\(.*\\)".*/\\1/p' pool/pool.jsonl)
                sed "s#\\"image\\":\\"[^\\"]*\\"#\\"image\\":\\"pool/$image\\"#" drawn.jsonl >asked.jsonl
                \(Self.calibrate.replacing("drawn", with: "asked"))
                """)
        }
        var below = 0
        for (place, line) in based.enumerated() {
            #expect(line.all("cosine") == plain[place].all("relevance"))
            let means = others[0][place].all("relevance").indices.map { node in
                others.map { $0[place].all("relevance")[node] }.reduce(0, +) / 3
            }
            for (index, relevance) in line.all("relevance").enumerated() {
                #expect(abs(relevance - (line.all("cosine")[index] - means[index])) < 1e-6)
                below += relevance < 0 ? 1 : 0
            }
            // Nothing is cut off below 0.
            for node in line.nodes where node.scores["relevance"] != nil {
                let reward = 0.9 * 100 * (node.scores["relevance"] ?? .nan) + 0.1 * exp(node.logprob)
                #expect(abs((node.scores["calibrated"] ?? .nan) - reward) < 1e-9)
            }
        }
        #expect(below > 0)
    }

    /// The best sentence by the scores that `calibrate` writes with the same baseline is the one that went on.
    @Test func samplingSteersByWhatCalibrateWrites() throws {
        let shop = try workshop()
        let pool = "\(Self.pool) --baseline-nearest 2"
        func extended(_ options: String, scoredBy scoring: String) throws -> (went: [Int?], best: [Int?]) {
            try shop.succeed(
                "\(Self.sample) --children 6 --keep-top 1 --keep-bottom 0 \(options) -o drawn.jsonl")
            let lines = try lines(shop, "\(Self.calibrate) \(scoring)")
            let best = lines.map { line in
                line.nodes.indices.filter { line.nodes[$0].parent < 0 && line.nodes[$0].end != "stop" }
                    .max { line.nodes[$0].calibrated < line.nodes[$1].calibrated }
            }
            return (lines.map { line in line.nodes.map(\.parent).filter { $0 >= 0 }.min() }, best)
        }
        let (based, itsBest) = try extended(pool, scoredBy: pool)
        #expect(based == itsBest && Set(based).count > 1)
        #expect(try extended("", scoredBy: pool).went != based)
    }

    /// Without a model the scores that stand there serve another λ, with nothing cut off, and scoring without a
    /// baseline leaves nothing of it behind.
    @Test func whatStandsInTheRecordSaysWhatItIs() throws {
        let shop = try workshop()
        let scored = "\(Self.calibrate) \(Self.pool)"
        try shop.succeed(
            """
            set -e
            \(scored) -o one.jsonl
            \(scored) --lambda 0.5 -o direct.jsonl
            sightline calibrate one.jsonl --mode raw --lambda 0.5 --no-ledger --quiet -o stored.jsonl
            cmp direct.jsonl stored.jsonl
            printf '[calibrate]\\nbaseline-nearest = 2\\n' >recipe.toml
            sightline calibrate one.jsonl --config recipe.toml --mode raw --lambda 0.5 --no-ledger --quiet -o mixed.jsonl
            cmp direct.jsonl mixed.jsonl
            \(Self.calibrate) -o plain.jsonl
            \(Self.calibrate.replacing("drawn", with: "one")) -o back.jsonl
            cmp plain.jsonl back.jsonl
            """)
        #expect(try shop.read("one.jsonl").contains(/"baseline":\{"pool":"[0-9a-f]{64}","nearest":0\}/))
    }

    /// A picture that stands in the pool is none of its own others; neighbours, shards and batches don't show.
    @Test func aRecordsScoreIsItsOwn() throws {
        let shop = try workshop()
        let own = "--relevance-baseline prompts.jsonl --baseline-nearest 1"
        let all = try shop.succeed("\(Self.calibrate) \(own)").output
        #expect(!all.contains(Self.nothing))
        for variant in ["--batch 1 --threads 1", "--batch 4"] {
            #expect(try shop.succeed("\(Self.calibrate) \(own) \(variant)").output == all)
        }
        let rows = all.split(separator: "\n")
        let shard = try shop.succeed("\(Self.calibrate) \(own) --shard 2/2").output.split(separator: "\n")
        #expect(shard == [rows[1], rows[3], rows[5]])
    }

    /// Copies of the pictures elsewhere are told by the ids of their records; the id that counts is that of the
    /// record whose picture is looked at.
    @Test(arguments: ["own", "other"]) func aPictureIsKnownByItsFileOrItsId(_ picture: String) throws {
        let shop = try workshop()
        try shop.succeed(
            """
            mkdir copies; cp --parents $(sed 's/.*"image":"\\([^"]*\\)".*/\\1/' prompts.jsonl | sort -u) copies
            sed 's/.*\\("image":"[^"]*"\\).*/{\\1}/' prompts.jsonl >nameless.jsonl
            """)
        func scored(_ pool: String) throws -> String {
            let command = "\(Self.calibrate) --picture \(picture) --baseline-nearest 1"
            return try shop.succeed("\(command) --relevance-baseline \(pool)").output
        }
        let byFile = try scored("prompts.jsonl")
        #expect(!byFile.contains(Self.nothing))
        #expect(try scored("prompts.jsonl --baseline-root copies") == byFile)
        // A twin without a name is another picture, and the most similar of all.
        let twins = try scored("nameless.jsonl --baseline-root copies")
        #expect(
            twins.matches(of: Self.nothing).count == twins.matches(of: /"cosine":/).count
                && twins.contains(Self.nothing))
    }

    /// A pool of few pictures serves whole, and that is said.
    @Test func ofFewPicturesAllCount() throws {
        let shop = try workshop()
        let all = try shop.succeed("\(Self.calibrate) \(Self.pool)").output
        let more = try shop.succeed("\(Self.calibrate) \(Self.pool) --baseline-nearest 3")
        #expect(more.output == all.replacing("\"nearest\":0", with: "\"nearest\":3"))
        #expect(more.errors.contains("with 3 different pictures, the mean is over all others"))
    }

    @Test func badBaselinesAreTold() throws {
        let shop = try workshop()
        try shop.succeed(
            """
            echo '{"image":"nowhere.png"}' >gone.jsonl; echo '{"id":"a"}' >bare.jsonl
            sed 's/$/ /;1q' pool/pool.jsonl >one.jsonl; cp drawn.jsonl scored.jsonl
            """)
        for (options, code, words) in [
            ("--relevance-baseline nowhere.jsonl", 1, "nowhere.jsonl"),
            (
                "--relevance-baseline gone.jsonl", 1,
                "gone.jsonl:1: image nowhere.png: not there under --baseline-root ."
            ),
            ("--relevance-baseline bare.jsonl", 1, "bare.jsonl:1: missing key: \"image\""),
            (
                "--relevance-baseline one.jsonl --baseline-root pool", 1,
                "1 different pictures; give two or more"
            ),
            ("--baseline-nearest 3", 64, "--baseline-nearest: belongs to --relevance-baseline"),
            (
                "--relevance-baseline pool/pool.jsonl --baseline-root nowhere", 1,
                "--baseline-root nowhere: no such"
            ),
        ] {
            let ended = try shop.run("\(Self.calibrate) \(options) -o out")
            #expect(ended.code == code && ended.errors.contains(words), "\(options): \(ended.errors)")
            #expect(!shop.has("out"))
        }
        let idle = try shop.run("sightline calibrate drawn.jsonl --lambda 0 \(Self.pool) -o out --no-ledger")
        #expect(idle.code == 64 && idle.errors.contains("belong to --relevance;"))
        // A part is gone on with only by the baseline that it was begun with.
        try shop.succeed(
            """
            \(Self.calibrate) \(Self.pool) -o out; mv out out.part
            printf '%s\\n' '{"stage":"calibrate","models":{"baseline":"0"}}' >out.part.json
            """)
        let other = try shop.run("\(Self.calibrate) \(Self.pool) --resume -o out")
        #expect(other.code == 1 && other.errors.contains("the model baseline differs"), "\(other.errors)")
    }
}
