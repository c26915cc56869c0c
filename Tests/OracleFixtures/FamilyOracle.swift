import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import Testing

/// A tiny model of a family as transformers saved it, with what it makes of one prompt and its picture: `families/` of the
/// fixtures, and the folder in `SIGHTLINE_ORACLES`, where others can be tried (`make_families.py -o`).
package struct FamilyOracle: CustomTestStringConvertible, Sendable {
    package let folder: URL
    package var testDescription: String { folder.lastPathComponent }

    package static let all: [FamilyOracle] = {
        let more = ProcessInfo.processInfo.environment["SIGHTLINE_ORACLES"].map { URL(fileURLWithPath: $0) }
        return ([Oracle.root.appendingPathComponent("families")] + (more.map { [$0] } ?? [])).flatMap {
            root in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
            return names.filter { $0.hasSuffix(".json") }.sorted()
                .map { FamilyOracle(folder: root.appendingPathComponent(String($0.dropLast(5)))) }
        }
    }()

    package static func named(_ name: String) -> FamilyOracle { all.first { $0.testDescription == name }! }

    package struct Expectation: Decodable, Sendable {
        package let promptIds: [Int32]
        package let answerIds: [Int32]
        package let answerLogps: [Double]
        package let greedy: LlavaExpectation.Greedy
        package let loss: Double?
        /// Height and width.
        package let grid: [Int]?
        package let original: [Int]?
    }

    package func expectation() throws -> Expectation {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let file = folder.appendingPathExtension("json")
        return try decoder.decode(Expectation.self, from: Data(contentsOf: file))
    }

    package func tensors() throws -> SafetensorsFile {
        try SafetensorsFile(folder.appendingPathExtension("safetensors"))
    }

    package func model(_ compute: Compute = .f32) throws -> any VisionLanguageFamily {
        let directory = try CheckpointDirectory.open(folder)
        return try directory.config().family(
            CheckpointSource(directory, compute: compute), path: folder.path)
    }

    /// The prompt with its image tokens, −200 where no token stands for a picture, as rows of the picture.
    package func prompt(_ model: any VisionLanguageFamily) throws -> [Int32] {
        let image = model.imageTokenID
        return expand(try expectation().promptIds.map { $0 == -200 ? Int32(image) : $0 }, image: image)
    }

    package func input() throws -> TowerInput {
        let (view, expected) = (try tensors().tensor(named: "pixel_values"), try expectation())
        let (values, size) = (try view.floats(), view.shape.suffix(3).reduce(1, *))
        func pair(_ numbers: [Int]?) -> PictureSize {
            PictureSize(height: numbers?[0] ?? 0, width: numbers?[1] ?? 0)
        }
        return TowerInput(
            tiles: (0..<values.count / size).map { Array(values[$0 * size..<($0 + 1) * size]) },
            grid: pair(expected.grid), original: pair(expected.original))
    }

    /// Log-probabilities that `model` gives the tokens of the answer.
    package func answerLogProbabilities(_ model: any VisionLanguageFamily) throws -> [Float] {
        let (expected, arena) = (try expectation(), Arena())
        let images = model.features(of: [try input()], arena)
        var forest = TokenForest()
        let prompt = forest.add(try prompt(model), grid: images.grids?[0])
        let answer = forest.add(expected.answerIds, parent: prompt)
        let tape = model.decoder.forward(forest, features: images.values, arena)
        return model.decoder.logProbabilities(tape.hidden, forest.labels(of: answer), arena)
    }
}
