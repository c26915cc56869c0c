import Foundation
import Testing

/// The two published forms of CSR on tiny random models, by the recipes themselves: only lengths are less.
struct RecipeTests {
    private struct Line: Decodable {
        struct Node: Decodable {
            let parent: Int
            let ids: [Int]
            let logprob: Double
            let end: String
            let scores: [String: Double]?
        }
        struct Candidate: Decodable {
            let path: [Int]?
            let text: String
            let scores: [String: Double]?
        }
        let id: String
        let nodes: [Node]
        let candidates: [Candidate]
    }

    private struct Pair: Decodable {
        let id: String
        let chosen: String
        let rejected: String
        let margin: Double
        let source: String
    }

    private static let recipes = URL(fileURLWithPath: Workshop.fixtures)
        .appendingPathComponent("../../pipelines/recipes").standardizedFileURL.path

    private struct Results {
        let drawn: [Line]
        let scored: [Line]
        let pairs: [String: Pair]
    }

    private func run(_ recipe: String) throws -> Results {
        let shop = try Workshop(prompts: 5)
        let config = "--config \(Self.recipes)/\(recipe).toml --quiet"
        // The released code's trees are steered by likelihood.
        let steering = recipe == "code" ? "" : "--relevance $CLIP"
        try shop.succeed(
            """
            sightline sample prompts.jsonl --model $LLAVA \(steering) \(config) --max-tokens 6 \
                --max-sentences 3 -o drawn.jsonl &&
            sightline calibrate drawn.jsonl --relevance $CLIP \(config) -o scored.jsonl &&
            sightline pair scored.jsonl \(config) -o pairs.jsonl
            """)
        func read<T: Decodable>(_ name: String) throws -> [T] {
            try shop.lines(name).map { try JSONDecoder().decode(T.self, from: Data($0.utf8)) }
        }
        let pairs: [Pair] = try read("pairs.jsonl")
        return Results(
            drawn: try read("drawn.jsonl"), scored: try read("scored.jsonl"),
            pairs: Dictionary(uniqueKeysWithValues: pairs.map { ($0.id, $0) }))
    }

    @Test func paper() throws {
        let results = try run("paper")
        #expect(results.scored.count == 5 && results.pairs.count == 5)
        for line in results.scored {
            for node in line.nodes where node.scores?["calibrated"] != nil {
                let reward =
                    0.9 * max(100 * (node.scores?["relevance"] ?? .nan), 0) + 0.1 * exp(node.logprob)
                #expect(abs((node.scores?["calibrated"] ?? .nan) - reward) < 1e-9)
            }
            try expectBestAgainstWorst(results.pairs[line.id], line, "raw") { $0.reduce(0, +) }
        }
    }

    /// Five sentences under the prompt, then five under each of the three that go on; random ones are cut at
    /// their length and don't end the answer.
    @Test func codeDraws() throws {
        for line in try run("code").drawn {
            try #require(line.nodes.count == 5 + 15 + 15)
            var sums: [Double] = []
            for node in line.nodes {
                let beam = try #require(node.scores?["beam"])
                let mean = node.logprob / Double(node.ids.count)
                #expect(beam < mean + 1e-9 && beam > mean - 4 * 3 - 1e-9)
                sums.append(beam + (node.parent < 0 ? 0 : sums[node.parent]))
            }
            for start in stride(from: 0, to: 35, by: 5) {
                #expect(sums[start..<start + 5].elementsEqual(sums[start..<start + 5].sorted(by: >)))
            }
            for level in [0..<5, 5..<20] {
                let order = level.sorted { sums[$0] > sums[$1] }
                let extended = Set(line.nodes.map(\.parent)).intersection(level)
                #expect(extended == [order[0], order[order.count - 2], order[order.count - 1]])
            }
        }
    }

    @Test func codeScores() throws {
        let results = try run("code")
        #expect(
            results.scored.contains { $0.nodes.count < 35 },
            "random sentences, and the filter let them all pass")
        #expect(!results.pairs.isEmpty)
        for line in results.scored {
            for parent in Set(line.nodes.map(\.parent)) {
                let children = line.nodes.filter { $0.parent == parent }
                for (place, child) in children.enumerated() {
                    let ranks = ["beam", "relevance"].map { name in
                        let values = children.map { $0.scores?[name] ?? .nan }
                        // Of equal ones the earlier is the better.
                        let better = values.enumerated().count {
                            ($0.element, place) > (values[place], $0.offset)
                        }
                        return Double(better + 1) / Double(children.count)
                    }
                    let penalty = 0.1 * ranks[0] + 0.9 * ranks[1]
                    #expect(abs((child.scores?["calibrated"] ?? .nan) + penalty) < 1e-9)
                }
            }
            guard let pair = results.pairs[line.id] else {
                #expect(line.candidates.count < 2)
                continue
            }
            try expectBestAgainstWorst(pair, line, "rank") { $0.reduce(0, +) / Double($0.count + 1) }
        }
    }

    private func expectBestAgainstWorst(
        _ pair: Pair?, _ line: Line, _ mode: String, _ score: ([Double]) -> Double
    ) throws {
        let pair = try #require(pair)
        // An answer that is nothing but the end token has no sentences, and no score.
        let candidates = line.candidates.filter { !($0.path ?? []).isEmpty }
        let scores = candidates.map { candidate in
            score((candidate.path ?? []).compactMap { line.nodes[$0].scores?["calibrated"] })
        }
        for (candidate, score) in zip(candidates, scores) {
            #expect(abs((candidate.scores?["calibrated"] ?? .nan) - score) < 1e-9)
        }
        let (best, worst) = (try #require(scores.max()), try #require(scores.min()))
        #expect(pair.source == "calibrated/\(mode)")
        #expect(abs(pair.margin - (best - worst)) < 1e-9)
        #expect(zip(candidates, scores).contains { $0.text == pair.chosen && abs($1 - best) < 1e-9 })
        #expect(zip(candidates, scores).contains { $0.text == pair.rejected && abs($1 - worst) < 1e-9 })
    }

    @Test func tiesAreThePairOfTheFirstAndTheLast() throws {
        let shop = try Workshop()
        let candidates = ["One.", "Two words.", "Three."].enumerated().map { index, text in
            #"{"id":"c\#(index)","text":"\#(text)","scores":{"calibrated":-0.5}}"#
        }
        try shop.write(
            #"{"id":"a","prompt":"?","candidates":[\#(candidates.joined(separator: ","))]}"# + "\n",
            to: "scored.jsonl")
        let pair =
            "sightline pair scored.jsonl --no-equal-sentences --word-tolerance 1 --keep-fraction 1 --quiet"
        #expect(try shop.succeed(pair).output.isEmpty)
        let tied = try shop.succeed("\(pair) --allow-ties").output
        #expect(tied.contains(#""chosen":"One.","rejected":"Three.","margin":0"#))
    }

    /// The end token of an answer that goes on to its full stop, and one that is over at its characters.
    @Test func whatFollowsTheEndTokenStays() throws {
        let shop = try Workshop(prompts: 6)
        let sample = """
            sightline sample prompts.jsonl --model $TIED --mode tree --steer-by likelihood --children 4 --max-tokens 12 \
            --max-sentences 3 --quiet
            """
        func nodes(_ options: String) throws -> [Line.Node] {
            let output = try shop.succeed(
                "\(sample) \(options) >drawn; sightline calibrate drawn --lambda 0 --quiet"
            ).output
            return try output.split(separator: "\n").flatMap {
                try JSONDecoder().decode(Line.self, from: Data($0.utf8)).nodes
            }
        }
        let passed = try nodes("--end-token passes").filter { $0.end == "stop" }
        #expect(passed.contains { $0.ids.contains(2) && $0.ids.last != 2 })
        #expect(try nodes("--end-token ends").allSatisfy { !$0.ids.contains(2) })
        #expect(try nodes("--end-token passes --max-characters 1").allSatisfy { $0.parent < 0 })
    }
}
