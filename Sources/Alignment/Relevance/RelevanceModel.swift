import Checkpoint
import Foundation
import Imaging
import Kernels
import Model

/// A relevance model that can't be used as given.
package struct RelevanceError: Error, CustomStringConvertible {
    package let description: String

    init(_ place: String, _ finding: String, _ remedy: String) {
        description = "\(place): \(finding); \(remedy)"
    }
}

/// A CLIP or SigLIP with tokenizer and preprocessing, asked how well sentences fit a picture.
///
/// A score depends on its picture and its sentence alone, to the bit: not on what else is asked together, nor
/// before, nor on the number of threads.
package final class RelevanceModel {
    /// A picture and the texts to be held against it.
    package struct Query: Sendable {
        package let image: PictureFile
        package let texts: [String]

        package init(image: PictureFile, texts: [String]) { (self.image, self.texts) = (image, texts) }
    }

    /// SHA-256 of the checkpoint.
    package let digest: String
    /// Texts longer than the model reads, so far: the ends of their sentences went unseen.
    package private(set) var cutTexts = 0

    private let directory: URL
    private let encoder: any DualEncoder
    private let processor: any PictureProcessor
    private let arena = Arena()
    private var images: EmbeddingCache<String>
    /// By token ids: texts that the tokenizer reads alike are alike.
    private var texts: EmbeddingCache<[Int32]>
    private var baseline: RelevanceBaseline?
    private let capacity: Int

    /// Activations of one pass at most, as far as whole pictures and texts allow.
    private static let passBytes = 256 << 20

    /// Opens a Hugging Face directory.
    ///
    /// - Parameters:
    ///   - reading: how pixels are read.
    ///   - compute: in what products are taken.
    ///   - capacity: embeddings of pictures, and of texts, that are kept.
    /// - Throws: `CheckpointError`, `TokenizerError`, `ImageError` for what is missing or doesn't fit.
    package init(
        directory: URL, reading: PictureReading = PictureReading(), compute: Compute? = Compute.preferred,
        capacity: Int = 1 << 14
    ) throws {
        self.directory = directory
        let checkpoint = try CheckpointDirectory.open(directory)
        encoder = try openDualEncoder(
            CheckpointSource(checkpoint, compute: compute), checkpoint.config(), at: directory)
        var processor = try readPictureProcessor(directory: directory)
        try processor.read(as: reading)
        self.processor = processor
        if let misfit = encoder.check(processor) {
            throw RelevanceError(
                directory.appendingPathComponent("preprocessor_config.json").path, misfit,
                "give the preprocessor_config.json of this checkpoint")
        }
        digest = try checkpoint.digest()
        self.capacity = capacity
        images = EmbeddingCache(capacity: capacity)
        texts = EmbeddingCache(capacity: capacity)
    }

    /// Takes base rates off from now on, by the pictures of a pool, which are read here.
    ///
    /// - Parameters:
    ///   - pool: a file that stands there twice counts once.
    ///   - nearest: how many of them, those most similar to a query's picture, make its base rates; 0 for all.
    /// - Throws: `ImageError` for a picture that can't be read.
    package func setBaseline(_ pool: [PictureFile], nearest: Int) throws {
        let embeddings = embedImages(pool.map(\.path))
        baseline = RelevanceBaseline(
            try pool.map { ($0, try embeddings[$0.path]!.get()) }, nearest: nearest, capacity: capacity)
    }

    /// How well each text fits the picture; nil for a text without any word.
    ///
    /// - Throws: `ImageError` for a picture that can't be read, `RelevanceError`.
    package func scores(image: PictureFile, texts: [String]) throws -> [RelevanceScore?] {
        try scores([Query(image: image, texts: texts)])[0].get()
    }

    /// As `scores(image:texts:)` for many pictures, whose towers run together. A query that fails leaves the
    /// others alone.
    package func scores(_ queries: [Query]) -> [Result<[RelevanceScore?], any Error>] {
        let pictures = embedImages(queries.map(\.image.path))
        let encoded = queries.map { query in Result { try query.texts.map(encode) } }
        let sentences = embedTexts(encoded.flatMap { (try? $0.get()) ?? [] }.compactMap { $0 })
        return zip(queries, encoded).map { query, encoded in
            Result {
                let file = query.image.path
                let picture = try pictures[file]!.get()
                let centre = try centre(of: query.image, picture)
                return try encoded.get().map { ids in
                    try ids.flatMap { sentences[$0] }.map { sentence in
                        let fit = try cosine(picture, sentence, file)
                        return RelevanceScore(
                            cosine: fit, baseRate: try centre.map { try cosine($0, sentence, file) },
                            logit: encoder.logit(fit))
                    }
                }
            }
        }
    }

    private func centre(of image: PictureFile, _ embedding: [Float]) throws -> [Float]? {
        guard baseline != nil else { return nil }
        if let centre = baseline?.centre(of: image, embedding) { return centre }
        throw RelevanceError(
            image.path, "the baseline has too few other pictures",
            "give a baseline with more")
    }

    private func cosine(_ a: [Float], _ b: [Float], _ image: String) throws -> Double {
        let cosine = dot(a, b)
        guard cosine.isFinite else {
            throw RelevanceError(
                directory.path, "its cosine with the image \(image) is \(cosine)",
                "the checkpoint holds broken weights; take another")
        }
        return Double(cosine)
    }

    // MARK: - Pictures

    private func embedImages(_ paths: [String]) -> [String: Result<[Float], any Error>] {
        var found: [String: Result<[Float], any Error>] = [:]
        var missing: [String] = []
        for path in paths where found[path] == nil {
            found[path] = images[path].map { .success($0) } ?? .success([])
            if images[path] == nil { missing.append(path) }
        }
        let count = max(1, Self.passBytes / encoder.pictureBytes)
        for start in stride(from: 0, to: missing.count, by: count) {
            let some = Array(missing[start..<min(missing.count, start + count)])
            for (path, embedding) in zip(some, embed(some)) {
                found[path] = embedding
                if case .success(let values) = embedding { images.insert(values, for: path) }
            }
        }
        return found
    }

    private func embed(_ paths: [String]) -> [Result<[Float], any Error>] {
        let slots = Slots<Result<TowerInput, any Error>>(count: paths.count)
        let processor = processor
        Parallel.run(paths.count) { i in
            slots[i] = Result { try processor.input(at: paths[i]) }
        }
        arena.reset()
        let readable = slots.values.compactMap { try? $0.get() }
        let embeddings = readable.isEmpty ? nil : encoder.embed(readable, arena)
        var row = 0
        return slots.values.map { input in
            input.map { _ in
                defer { row += 1 }
                return embeddings!.rows(row..<row + 1).values
            }
        }
    }

    // MARK: - Texts

    /// Ids with start and end token; too long a text keeps both and loses what stands before the end.
    private func encode(_ text: String) throws -> [Int32]? {
        guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else { return nil }
        var ids = encoder.tokenizer.encode(text, addSpecialTokens: true)
        if ids.count > encoder.limit {
            // what the tokenizer puts after a text is one token or none
            let isEnd = ids.last.map(encoder.tokenizer.isSpecial) ?? false
            ids = isEnd ? ids.prefix(encoder.limit - 1) + ids.suffix(1) : Array(ids.prefix(encoder.limit))
            cutTexts += 1
        }
        guard encoder.isEnded(ids), ids.allSatisfy({ $0 >= 0 && $0 < encoder.vocabularySize }) else {
            throw RelevanceError(
                directory.path, "its tokenizer gives \(ids) for \"\(text)\", which its text tower can't read",
                "give the tokenizer.json of this checkpoint")
        }
        return ids
    }

    private func embedTexts(_ all: [[Int32]]) -> [[Int32]: [Float]] {
        var found: [[Int32]: [Float]] = [:]
        var missing: [[Int32]] = []
        for ids in all where found[ids] == nil {
            found[ids] = texts[ids] ?? []
            if texts[ids] == nil { missing.append(ids) }
        }
        let limit = Self.passBytes / encoder.tokenBytes
        var start = 0
        while start < missing.count {
            var end = start
            var tokens = 0
            while end < missing.count, end == start || tokens + missing[end].count <= limit {
                tokens += missing[end].count
                end += 1
            }
            arena.reset()
            let embeddings = encoder.embed(Array(missing[start..<end]), arena)
            for (row, ids) in missing[start..<end].enumerated() {
                let embedding = embeddings.rows(row..<row + 1).values
                found[ids] = embedding
                texts.insert(embedding, for: ids)
            }
            start = end
        }
        return found
    }
}
