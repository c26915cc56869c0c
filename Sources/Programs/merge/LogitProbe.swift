import Foundation
import Imaging
import Kernels
import Model

/// The logits of a few fixed prompts over one drawn picture: what two forms of a model are compared by.
struct LogitProbe {
    private static let questions = [
        "Describe this image.", "Is there a dog in the image?", "What color is the car on the left?",
    ]
    /// Rows compared of each prompt, from its end: the head's output for all would be large.
    private static let rows = 16

    private let forest: TokenForest
    private let wanted: [Range<Int>]
    private let picture: TowerInput

    /// - Throws: `PromptError` where the model can't be asked.
    init(_ model: VisionLanguageModel) throws {
        let picture = try Self.picture(model)
        let grid = model.pictures([picture], Arena())[0].grid
        var forest = TokenForest()
        var wanted: [Range<Int>] = []
        for question in Self.questions {
            let tokens = try model.encode(prompt: question, picture: picture.shape).prompt
            let span = forest.add(tokens, grid: grid)
            let rows = forest.spans[span].rows
            wanted.append(max(rows.lowerBound, rows.upperBound - Self.rows)..<rows.upperBound)
        }
        (self.forest, self.wanted, self.picture) = (forest, wanted, picture)
    }

    /// Waves; as pixels for a tower that reads patches of any picture.
    private static func picture(_ model: VisionLanguageModel) throws -> TowerInput {
        func wave(_ x: Int, _ y: Int, _ channel: Int) -> Double {
            sin(0.11 * Double(x * (channel + 1)) + 0.07 * Double(y))
        }
        let size = model.images.tile ?? PictureSize(height: 112, width: 168)
        let places = (0..<size.height).flatMap { y in (0..<size.width).map { (x: $0, y: y) } }
        guard model.images.tile == nil else {
            return TowerInput(
                tile: (0..<3).flatMap { channel in
                    places.map { 2 * Float(wave($0.x, $0.y, channel)) }
                })
        }
        let pixels = places.flatMap { place in
            (0..<3).map { UInt8(127.5 + 127.5 * wave(place.x, place.y, $0)) }
        }
        return try model.images.input(
            RGBImage(width: size.width, height: size.height, pixels: pixels))
    }

    /// Row after row, prompt after prompt, `model`'s vocabulary wide.
    func logits(_ model: VisionLanguageModel) throws -> Logits {
        let arena = Arena()
        let features = model.pictures([picture], arena)[0].matrix(arena)
        let hidden = model.decoder.forward(forest, features: features, arena).hidden
        let values = wanted.flatMap { model.decoder.logits(hidden.rows($0), arena).values }
        return Logits(values: values, columns: model.vocabularySize)
    }
}

struct Logits {
    let values: [Float]
    let columns: Int

    /// The largest magnitude; not finite where one of them isn't.
    var scale: Float { values.reduce(0) { $1.isFinite ? max($0, abs($1)) : .infinity } }

    func difference(_ other: Logits) -> Float {
        zip(values, other.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    /// Share of rows that put the same token first.
    func agreement(_ other: Logits) -> Double {
        let rows = stride(from: 0, to: values.count, by: columns)
        let same = rows.count { row in
            func first(_ values: [Float]) -> Int? {
                values[row..<row + columns].indices.max { values[$0] < values[$1] }
            }
            return first(values) == first(other.values)
        }
        return Double(same) / Double(max(1, values.count / columns))
    }
}
