import Foundation
import Imaging
import Kernels
import OracleFixtures
import Records
import Relevance
import Rewards
import Testing

private struct Expectation: Decodable { let sentences: [String] }

private func model(_ name: String, capacity: Int = 64) throws -> RelevanceModel {
    // The fixtures were made with the processors that take Pillow.
    try RelevanceModel(
        directory: Oracle.root.appendingPathComponent(name),
        reading: PictureReading(alpha: .white, resampling: .pillow), capacity: capacity)
}

private func picture(_ number: Int, id: String? = nil) -> PictureFile {
    PictureFile(Oracle.root.appendingPathComponent("pictures/picture-\(number).png").path, id: id)
}

@Suite(.serialized) struct RelevanceModelTests {
    private static let names = ["clip-first-eos", "clip-highest-id"]

    /// From picture files and texts to transformers' logits, divided by their scale. The third text of the
    /// fixture holds an id that no text gives.
    @Test(arguments: names) func cosinesAreThoseOfTransformers(_ name: String) throws {
        let expectation: Expectation = try Oracle.json(name)
        let forward = try Oracle.tensors("\(name).forward")
        let logits = try Oracle.floats(forward, "logits_per_image.f64")
        let scale = try Oracle.clip(name).scale
        let model = try model(name)
        let count = expectation.sentences.count
        for image in 0..<logits.count / count {
            let scores = try model.scores(
                image: picture(image), texts: Array(expectation.sentences.prefix(2)))
            for (column, score) in scores.enumerated() {
                let expected = Double(logits[image * count + column] / scale)
                #expect(
                    abs(try #require(score).cosine - expected) < 1e-4,
                    "\(image) \(column): \(expected)")
            }
        }
    }

    /// To the bit: alone, together, in another order, from a cache that is too small, on one thread.
    @Test(arguments: names) func neighboursDoNotShow(_ name: String) throws {
        let texts = ["A large blue house.", "two cups", "A.", "the small RED dog stands on the left"]
        let queries = (0..<4).map { RelevanceModel.Query(image: picture($0), texts: texts) }
        let together = try model(name).scores(queries).map { try $0.get() }
        #expect(Set(together.flatMap { $0.compactMap { $0 } }).count == 16)
        let threads = Parallel.threads
        defer { Parallel.threads = threads }
        for thread in [1, 2] {
            Parallel.threads = thread
            let small = try model(name, capacity: 1)
            for number in (0..<4).reversed() {
                let backwards = try small.scores(image: picture(number), texts: texts.reversed())
                #expect(backwards.reversed() == together[number])
                for (column, text) in texts.enumerated() {
                    let alone = try small.scores(image: picture(number), texts: [text])
                    #expect(alone == [together[number][column]])
                }
            }
        }
    }

    @Test func emptyTextsHaveNoScore() throws {
        let scores = try model("clip-first-eos").scores(image: picture(0), texts: ["", "a dog", " \n"])
        #expect(scores[0] == nil && scores[1] != nil && scores[2] == nil)
    }

    /// Read as far as the model goes, with its end token: what follows makes no difference, and it is counted.
    @Test(arguments: names) func longTextsAreCut(_ name: String) throws {
        let model = try model(name)
        let long = String(repeating: "a red dog and ", count: 60)
        let scores = try model.scores(image: picture(1), texts: [long, long + "two cups", "a red dog"])
        #expect(scores[0] == scores[1] && scores[0] != scores[2])
        #expect(model.cutTexts == 2)
    }

    @Test func aMissingPictureIsOneQuerysFault() throws {
        let results = try model("clip-first-eos").scores([
            RelevanceModel.Query(image: PictureFile("/nowhere.png"), texts: ["a"]),
            RelevanceModel.Query(image: picture(0), texts: ["a"]),
        ])
        #expect(throws: (any Error).self) { try results[0].get() }
        #expect(try results[1].get().count == 1)
    }
}

@Suite(.serialized) struct SentenceScorerTests {
    private func node(_ parent: Int, _ text: String, _ logprob: Double) -> SentenceNode {
        SentenceNode(parent: parent, text: text, ids: [1, 2], logprob: logprob, end: .period)
    }

    private var tree: [SentenceNode] {
        [
            node(-1, "A large blue house.", -2), node(-1, "two cups", -3), node(-1, "A dog.", -1),
            node(0, "two cups", -5), node(0, "A dog.", -4), node(0, "", -1),
        ]
    }

    /// `sample` scores level by level, `calibrate` whole trees of many records: the same numbers.
    @Test func levelsAndTreesAgree() throws {
        let scorer = SentenceScorer(
            calibration: try Calibration(lambda: 0.9), relevance: try model("clip-first-eos"))
        var grown = Array(tree[..<3])
        try scorer.score(&grown, 0..<3, image: picture(2))
        grown += tree[3...]
        try scorer.score(&grown, 3..<6, image: picture(2))
        let sample = Sample(
            nodes: tree, candidates: [Candidate(id: "c0", path: [0, 4], text: "", draw: nil)], tokenizer: nil)
        let results = scorer.score([
            (sample, picture(1)), (sample, picture(2)), (sample, PictureFile("/nowhere.png")),
        ])
        let scored = try results[1].get()
        #expect(scored.nodes == grown)
        #expect(grown.map { $0.scores["relevance"] != nil } == [true, true, true, true, true, false])
        #expect(try results[0].get().nodes != grown)
        #expect(throws: (any Error).self) { try results[2].get() }
        let path = [grown[0], grown[4]].compactMap { $0.scores["calibrated"] }
        #expect(path.count == 2 && scored.candidates[0].scores["calibrated"] == (path[0] + path[1]) / 2)
    }

    @Test func storedRelevanceServesAnotherLambda() throws {
        let first = SentenceScorer(
            calibration: try Calibration(lambda: 0.9), relevance: try model("clip-first-eos"))
        let sample = Sample(nodes: tree, candidates: [], tokenizer: nil)
        let scored = try first.score([(sample, picture(0))])[0].get()
        let second = SentenceScorer(calibration: try Calibration(lambda: 0.5), relevance: nil)
        let again = try second.score([(scored, nil)])[0].get()
        let direct = SentenceScorer(calibration: try Calibration(lambda: 0.5), relevance: first.relevance)
        #expect(try direct.score([(sample, picture(0))])[0].get() == again)
        #expect(again != scored)
        #expect(throws: PreferenceError.self) { try second.score([(sample, nil)])[0].get() }
    }
}

@Suite(.serialized) struct RelevanceBaselineTests {
    private static let texts = [
        "A large blue house.", "two cups", "", "the small RED dog stands on the left",
    ]

    /// Against the mean of the cosines with each picture of the pool, one by one; a picture of the pool without
    /// itself.
    @Test func baseRatesAreMeansOverTheOthers() throws {
        let plain = try model("clip-first-eos")
        let cosines = try (0..<4).map { try plain.scores(image: picture($0), texts: Self.texts) }
        let based = try model("clip-first-eos")
        try based.setBaseline([0, 1, 2, 1].map { picture($0) }, nearest: 0)
        for number in 0..<4 {
            let scores = try based.scores(image: picture(number), texts: Self.texts)
            for (column, score) in scores.enumerated() {
                guard let score, let own = cosines[number][column] else {
                    #expect(column == 2 && score == nil)
                    continue
                }
                let others = (0..<3).filter { $0 != number }.compactMap { cosines[$0][column]?.cosine }
                let mean = others.reduce(0, +) / Double(others.count)
                #expect(others.count == (number == 3 ? 3 : 2))
                #expect(score.cosine == own.cosine && own.baseRate == nil && own.relevance == own.cosine)
                #expect(abs(score.relevance - (own.cosine - mean)) < 1e-6)
            }
        }
    }

    /// To the bit: whatever else was asked, and from a cache that is too small.
    @Test func neighboursDoNotShow() throws {
        func based(_ capacity: Int) throws -> RelevanceModel {
            let model = try model("clip-first-eos", capacity: capacity)
            try model.setBaseline((0..<4).map { picture($0) }, nearest: 2)
            return model
        }
        let queries = (0..<4).map { RelevanceModel.Query(image: picture($0), texts: Self.texts) }
        let together = try based(64).scores(queries).map { try $0.get() }
        let small = try based(1)
        for number in (0..<4).reversed() {
            #expect(try small.scores(image: picture(number), texts: Self.texts) == together[number])
        }
    }

    @Test func theNearestCountWithoutThePictureItself() throws {
        let members: [(String, [Float])] = [
            ("east", [1, 0]), ("north", [0, 1]), ("northeast", [0.6, 0.8]), ("west", [-1, 0]),
            ("twin", [0, 1]),
        ]
        func centre(_ file: String, id: String? = nil, _ embedding: [Float], nearest: Int) -> [Float]? {
            var baseline = RelevanceBaseline(
                members.map { (PictureFile("\($0.0).png", id: $0.0), $0.1) }, nearest: nearest, capacity: 8)
            return baseline.centre(of: PictureFile("\(file).png", id: id), embedding)
        }
        #expect(centre("elsewhere", [1, 0], nearest: 1) == [1, 0])
        #expect(centre("east", [1, 0], nearest: 1) == [0.6, 0.8])
        #expect(centre("elsewhere", id: "east", [1, 0], nearest: 1) == [0.6, 0.8])
        #expect(centre("elsewhere", [1, 0], nearest: 2) == [0.8, 0.4])
        // North and its twin are equally near.
        #expect(centre("elsewhere", [1, 0], nearest: 3) == [Float(1.6 / 3), Float(1.8 / 3)])
        #expect(centre("west", [-1, 0], nearest: 0) == [0.4, 0.7])
        #expect(centre("west", [-1, 0], nearest: 4) == [0.4, 0.7])
        // Of fewer than are wanted all count.
        #expect(centre("west", [-1, 0], nearest: 5) == [0.4, 0.7])
        let others = centre("west", id: "east", [-1, 0], nearest: 0)
        #expect(centre("west", id: "east", [-1, 0], nearest: 4) == others)
    }

    /// A file of two records goes by both their ids; what one record leaves out, another of the same file doesn't.
    @Test func aPictureIsLeftOutByEitherName() {
        var baseline = RelevanceBaseline(
            [
                (PictureFile("a", id: "1"), [1, 0]), (PictureFile("a", id: "2"), [1, 0]),
                (PictureFile("b"), [0, 1]),
            ],
            nearest: 0, capacity: 8)
        #expect(baseline.centre(of: PictureFile("c", id: "3"), [1, 0]) == [0.5, 0.5])
        #expect(baseline.centre(of: PictureFile("c", id: "1"), [1, 0]) == [0, 1])
        #expect(baseline.centre(of: PictureFile("c", id: "2"), [1, 0]) == [0, 1])
        #expect(baseline.centre(of: PictureFile("a", id: "3"), [1, 0]) == [0, 1])
        #expect(baseline.centre(of: PictureFile("b", id: "1"), [0, 1]) == nil)
    }
}
