import Kernels

/// The file of a picture that is looked at.
package struct PictureFile: Sendable, Hashable {
    /// Where it lies, not the path in the record.
    package let path: String
    /// Of the record that it came with; nil where that has none.
    package let id: String?

    package init(_ path: String, id: String? = nil) { (self.path, self.id) = (path, id) }
}

/// How well a sentence fits a picture.
package struct RelevanceScore: Sendable, Hashable {
    /// Of picture and sentence, −1…1.
    package let cosine: Double
    /// Mean cosine of the sentence with pictures of the baseline; nil without one.
    package let baseRate: Double?
    /// What the model makes of the cosine as the log of the odds that picture and sentence belong together; nil for one
    /// that learned only to tell pictures of a batch apart.
    package var logit: Double?

    /// What this picture adds: the cosine less its base rate. A sentence that fits any picture has about 0.
    package var relevance: Double { cosine - (baseRate ?? 0) }
}

/// A fixed set of pictures, which tells how well a sentence fits pictures of the kind: the base rate that is taken
/// off its cosine with one of them. Fixed, so that a record's score depends on no other record of its input.
package struct RelevanceBaseline {
    private struct Member {
        let file: String
        /// Of all records of the pool that show it.
        var ids: Set<String>
        /// [width], a unit vector.
        let embedding: [Float]
    }

    private let pool: [Member]
    /// How many of the pool, those most similar to the picture, make its base rates; 0 for all.
    private let nearest: Int
    private var centres: EmbeddingCache<PictureFile>

    /// - Parameter pictures: with their embeddings [width]; a file that stands there twice counts once.
    package init(_ pictures: [(picture: PictureFile, embedding: [Float])], nearest: Int, capacity: Int) {
        var pool: [Member] = []
        var places: [String: Int] = [:]
        for (picture, embedding) in pictures {
            let ids = Set(picture.id.map { [$0] } ?? [])
            if let place = places[picture.path] {
                pool[place].ids.formUnion(ids)
            } else {
                places[picture.path] = pool.count
                pool.append(Member(file: picture.path, ids: ids, embedding: embedding))
            }
        }
        (self.pool, self.nearest) = (pool, nearest)
        centres = EmbeddingCache(capacity: capacity)
    }

    /// The mean embedding [width] of a picture's part of the pool, itself left out, by its file and by the id it came
    /// with. Its product with a sentence is the mean of that sentence's cosines, at the price of one. Of equally
    /// near pictures the earlier is taken.
    ///
    /// - Parameter embedding: of `picture`.
    /// - Returns: nil where the pool has no other picture. One that has fewer than are wanted gives all of them.
    package mutating func centre(of picture: PictureFile, _ embedding: [Float]) -> [Float]? {
        if let known = centres[picture] { return known }
        var others = pool.filter { other in
            other.file != picture.path && !(picture.id.map(other.ids.contains) ?? false)
        }
        guard !others.isEmpty else { return nil }
        if nearest > 0, nearest < others.count {
            let cosines = others.map { dot($0.embedding, embedding) }
            others = others.indices.sorted { (-cosines[$0], $0) < (-cosines[$1], $1) }.prefix(nearest)
                .map { others[$0] }
        }
        var sums = [Double](repeating: 0, count: embedding.count)
        for other in others { for (i, value) in other.embedding.enumerated() { sums[i] += Double(value) } }
        let centre = sums.map { Float($0 / Double(others.count)) }
        centres.insert(centre, for: picture)
        return centre
    }
}
