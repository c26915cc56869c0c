import Foundation
import Kernels

/// Projected patches of pictures, each encoded once while it is remembered.
package final class ImageFeatures {
    private let model: VisionLanguageModel
    private let arena = Arena()
    private let budget: Int
    private var known: [String: Buffer] = [:]
    /// Paths from the first encoded to the latest.
    private var order: [String] = []
    private var held = 0

    /// - Parameter memory: bytes of features kept; the oldest go first.
    package init(_ model: VisionLanguageModel, memory: Int = 1 << 30) {
        self.model = model
        budget = memory / MemoryLayout<Float>.size
    }

    /// `[tokensPerImage × C]` of each picture. A picture's features don't depend on the others of the call.
    ///
    /// - Throws: `ImageError` of the first picture that can't be read, in the order of `paths`.
    package func features(of paths: [String]) throws -> [Buffer] {
        var seen = Set(known.keys)
        let missing = paths.filter { seen.insert($0).inserted }
        var fresh: [String: Buffer] = [:]
        for start in stride(from: 0, to: missing.count, by: 16) {
            let some = Array(missing[start..<min(missing.count, start + 16)])
            for (path, buffer) in zip(some, try encode(some)) { fresh[path] = buffer }
        }
        let result = paths.map { fresh[$0] ?? known[$0]! }
        for path in missing { remember(path, fresh[path]!) }
        return result
    }

    private func encode(_ paths: [String]) throws -> [Buffer] {
        let pixels = Slots<Result<[Float], any Error>>(count: paths.count)
        Parallel.run(paths.count) { [model] index in
            pixels[index] = Result { try model.pixels(of: paths[index]) }
        }
        arena.reset()
        let features = model.llava.encode(try pixels.values.map { try $0.get() }, arena).features
        let rows = model.llava.tokensPerImage
        return paths.indices.map { index in
            Buffer(features.rows(index * rows..<(index + 1) * rows).values)
        }
    }

    private func remember(_ path: String, _ buffer: Buffer) {
        known[path] = buffer
        order.append(path)
        held += buffer.count
        while held > budget {
            held -= known.removeValue(forKey: order.removeFirst())!.count
        }
    }
}
