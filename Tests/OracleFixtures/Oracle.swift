import Checkpoint
import Foundation
import Imaging
import Kernels
import Model

/// What transformers, PEFT and TRL made of the tiny models; see Tests/Fixtures/oracle/README.md.
package enum Oracle {
    package static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/oracle", isDirectory: true)

    package static func tensors(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(root.appendingPathComponent(name + ".safetensors"))
    }

    package static func floats(_ file: SafetensorsFile, _ name: String) throws -> [Float] {
        try file.tensor(named: name).floats()
    }

    package static func json<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            T.self, from: Data(contentsOf: root.appendingPathComponent(name + ".json")))
    }

    package static func llava(_ name: String) throws -> Llava {
        let directory = try CheckpointDirectory.open(root.appendingPathComponent(name))
        return try Llava(
            CheckpointSource(directory, compute: .f32), config: directory.config().llava(path: name))
    }

    package static func clip(_ name: String) throws -> Clip {
        let directory = try CheckpointDirectory.open(root.appendingPathComponent(name))
        return try Clip(
            CheckpointSource(directory, compute: .f32), config: directory.config().clip(path: name))
    }

    package static func adapter() throws -> PEFTAdapter {
        try PEFTAdapter.read(root.appendingPathComponent("adapter-grouped"))
    }

    /// The same as pictures of one tile.
    package static func inputs(_ file: SafetensorsFile) throws -> [TowerInput] {
        try pictures(file).map { TowerInput(tile: $0) }
    }

    /// `[N, 3, H, W]` as one array per picture.
    package static func pictures(_ file: SafetensorsFile, _ name: String = "pixel_values") throws -> [[Float]]
    {
        let view = try file.tensor(named: name)
        let values = try view.floats()
        let size = values.count / view.shape[0]
        return (0..<view.shape[0]).map { Array(values[$0 * size..<($0 + 1) * size]) }
    }
}

/// `llava-NAME.json`
package struct LlavaExpectation: Decodable, Sendable {
    package struct Turn: Decodable, Sendable {
        package let promptIds: [Int32]
        package let answerIds: [Int32]
    }

    package struct Greedy: Decodable, Sendable {
        package let ids: [Int32]
        package let leastGap: Double
    }

    package struct CrossEntropy: Decodable, Sendable {
        package let loss: Double
        package let parametersWithoutGradient: [String]
    }

    package let turns: [Turn]
    package let answerLogps: [[Double]]
    package let greedy: [Greedy]
    package let crossEntropy: CrossEntropy?
}

/// `adapter-grouped.json`
package struct AdapterExpectation: Decodable, Sendable {
    package struct Pair: Decodable, Sendable {
        package let picture: String
        package let promptIds: [Int32]
        package let chosenIds: [Int32]
        package let rejectedIds: [Int32]
    }

    package let pair: Pair
    package let beta: Double
    package let sequenceLoss: Double
    package let dpoLoss: Double
    package let logpsChosen: Double
    package let logpsRejected: Double
    package let refLogpsChosen: Double
    package let refLogpsRejected: Double
}

/// Ids as the forest wants them: image tokens become rows of the features, counted from `first`.
package func expand(_ ids: [Int32], image: Int, first: Int = 0) -> [Int32] {
    var row = Int32(first)
    return ids.map { id in
        guard id == Int32(image) else { return id }
        defer { row += 1 }
        return -1 - row
    }
}
