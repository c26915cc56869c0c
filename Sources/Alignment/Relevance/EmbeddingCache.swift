/// Embeddings by key, the oldest dropped when there are too many. Dropping costs time and never changes a
/// score: computed again, an embedding has the same bits.
struct EmbeddingCache<Key: Hashable> {
    private var embeddings: [Key: [Float]] = [:]
    /// Keys in order of arrival; those before `oldest` are gone.
    private var arrivals: [Key] = []
    private var oldest = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(1, capacity) }

    subscript(key: Key) -> [Float]? { embeddings[key] }

    mutating func insert(_ embedding: [Float], for key: Key) {
        guard embeddings.updateValue(embedding, forKey: key) == nil else { return }
        arrivals.append(key)
        while embeddings.count > capacity {
            embeddings[arrivals[oldest]] = nil
            oldest += 1
        }
        if oldest > capacity {
            arrivals.removeFirst(oldest)
            oldest = 0
        }
    }
}
