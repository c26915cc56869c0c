import Foundation
import Imaging
import Kernels

extension VisionLanguageModel {
    /// What features of pictures take, each once.
    ///
    /// - Parameters:
    ///   - shown: pictures by their files, with prompts in which their rows are expanded.
    ///   - limit: of a `PictureCache`.
    package func pictureBytes(_ shown: [(path: String?, prompt: [Int32])], atMost limit: Int) -> Int {
        var rows: [String: Int] = [:]
        for (path, prompt) in shown { if let path { rows[path] = prompt.count { $0 < 0 } } }
        let width = decoder.config.hiddenSize * MemoryLayout<Float>.size
        return min(limit, rows.values.reduce(0, +) * width)
    }
}

/// Pictures by their files, each encoded once while it is remembered.
package final class PictureCache {
    package let model: VisionLanguageModel
    private let arena = Arena()
    private let budget: Int
    private var known: [String: Picture] = [:]
    /// Paths in the order they came.
    private var order: [String] = []
    private var held = 0
    /// Pictures that are encoded together.
    private var batch = 1

    /// - Parameter memory: bytes of pictures kept; those that came first go first. Who holds a picture has it on.
    package init(_ model: VisionLanguageModel, memory: Int = 1 << 30) {
        self.model = model
        budget = memory / MemoryLayout<Float>.size
    }

    /// The picture at each path, nil where there is none. It doesn't depend on the others of the call.
    ///
    /// - Throws: `ImageError` of the first picture that can't be read, in the order of `paths`.
    package func pictures(at paths: [String?]) throws -> [Picture?] {
        var seen = Set(known.keys)
        let missing = paths.compactMap { $0 }.filter { seen.insert($0).inserted }
        var fresh: [String: Picture] = [:]
        var start = 0
        while start < missing.count {
            let some = Array(missing[start..<min(missing.count, start + batch)])
            for (path, picture) in zip(some, try encode(some)) { fresh[path] = picture }
            start += some.count
            // Pixels and hidden states of a batch are held at once; the first picture tells what one takes.
            batch = max(1, min(16, batch * Footprint.decodingBytes / max(1, arena.peakBytes)))
        }
        let result = paths.map { path in path.flatMap { fresh[$0] ?? known[$0] } }
        for path in missing { remember(path, fresh[path]) }
        return result
    }

    /// - Throws: `ImageError`.
    package func picture(at path: String?) throws -> Picture? { try pictures(at: [path])[0] }

    private func encode(_ paths: [String]) throws -> [Picture] {
        let pixels = Slots<Result<TowerInput, any Error>>(count: paths.count)
        Parallel.run(paths.count) { [model] index in
            pixels[index] = Result { try model.input(at: paths[index]) }
        }
        arena.reset()
        return model.pictures(try pixels.values.map { try $0.get() }, arena)
    }

    private func remember(_ path: String, _ picture: Picture?) {
        known[path] = picture
        order.append(path)
        held += picture?.count ?? 0
        while held > budget { held -= known.removeValue(forKey: order.removeFirst())?.count ?? 0 }
    }
}
