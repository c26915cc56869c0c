import Foundation
import Imaging
import Kernels
import Random

extension VisionLanguageModel {
    /// What features of pictures take, each once.
    ///
    /// - Parameters:
    ///   - shown: pictures by their files, with prompts in which their rows are expanded.
    ///   - limit: of a `PictureCache`.
    package func pictureBytes(_ shown: [(path: String?, prompt: [Int32])], atMost limit: Int) -> Int {
        var rows: [String: Int] = [:]
        for (path, prompt) in shown { if let path { rows[path] = prompt.count { $0 < 0 } } }
        let width = decoder.config.hiddenSize * (decoder.compute == .bf16 ? 2 : 4)
        return min(limit, rows.values.reduce(0, +) * width)
    }
}

/// Pictures by their files, each encoded once while it is remembered.
package final class PictureCache {
    package let model: VisionLanguageModel
    private let arena = Arena()
    private let budget: Int
    private let noise: (amount: DiffusionNoise, seed: UInt64)?
    private var known: [String: Picture] = [:]
    /// Paths in the order they came.
    private var order: [String] = []
    private var held = 0
    /// Pictures that are encoded together.
    private var batch = 1

    /// - Parameters:
    ///   - memory: bytes of pictures kept; those that came first go first. Who holds a picture has it on.
    ///   - noise: put on every picture, the same for a name and seed; such pictures aren't kept on disk.
    package init(
        _ model: VisionLanguageModel, memory: Int = 1 << 30,
        noise: (amount: DiffusionNoise, seed: UInt64)? = nil
    ) {
        self.model = model
        budget = memory
        self.noise = noise
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

    /// From the disk, where they are known there.
    private func encode(_ paths: [String]) throws -> [Picture] {
        guard noise == nil, let stored = model.features else { return try see(paths) }
        let keys = try paths.map { try FeatureCache.key(of: $0, model) }
        let found = keys.map { stored.picture($0) }
        let unseen = found.indices.filter { found[$0] == nil }
        let fresh = unseen.isEmpty ? [] : try see(unseen.map { paths[$0] })
        for (index, picture) in zip(unseen, fresh) { stored.store(picture, keys[index]) }
        var rest = fresh[...]
        return found.map { $0 ?? rest.removeFirst() }
    }

    private func see(_ paths: [String]) throws -> [Picture] {
        let pixels = Slots<Result<TowerInput, any Error>>(count: paths.count)
        Parallel.run(paths.count) { [model, noise] index in
            pixels[index] = Result {
                let input = try model.input(at: paths[index])
                guard let noise else { return input }
                let name = URL(fileURLWithPath: paths[index]).lastPathComponent
                var generator = SplitMix64(seed: noise.seed, key: name)
                return noise.amount.noised(input, &generator)
            }
        }
        arena.reset()
        return model.pictures(try pixels.values.map { try $0.get() }, arena)
    }

    private func remember(_ path: String, _ picture: Picture?) {
        known[path] = picture
        order.append(path)
        held += picture?.bytes ?? 0
        while held > budget { held -= known.removeValue(forKey: order.removeFirst())?.bytes ?? 0 }
    }
}
