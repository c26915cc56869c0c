import Files
import Foundation
import StageKit

/// What a shard's folder says of itself, beside its answers. It has no scores: many figures follow from questions about
/// several pictures, which may be in several shards.
struct ShardNote: Codable {
    static let fileName = "shard.json"

    /// `k/n`
    let shard: String
    /// Digest of the model that was asked.
    let model: String
    let logitBias: [String: Float]?
    /// How answers were drawn where it was otherwise than by the likeliest token.
    let decoding: String?
    var seconds: Double

    private func asksTheSame(as other: ShardNote) -> Bool {
        model == other.model && logitBias == other.logitBias && decoding == other.decoding
    }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = .sortedKeys
        try AtomicFile.write(
            encoder.encode(self) + [UInt8(ascii: "\n")], to: "\(folder)/\(Self.fileName)")
    }

    private init?(folder: String) throws {
        let path = "\(folder)/\(Self.fileName)"
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { self = try decoder.decode(ShardNote.self, from: bytes) } catch {
            throw StageError.failed("\(path): it isn't what eval --shard writes; let eval write it again")
        }
        guard Shard(argument: shard) != nil else {
            throw StageError.failed("\(path): the shard is \(shard); let eval write it again")
        }
    }

    init(
        _ shard: Shard, model: String, logitBias: [String: Float]?, decoding: String?, seconds: Double
    ) {
        (self.shard, self.model) = (shard.description, model)
        (self.logitBias, self.decoding, self.seconds) = (logitBias, decoding, seconds)
    }

    /// What all shards of one evaluation say, with the seconds of all.
    ///
    /// - Returns: nil where `places` are no shards.
    /// - Throws: `StageError` where one is missing, given twice or another model's.
    static func joined(_ places: [String]) throws -> ShardNote? {
        let notes = try places.map { (place: $0, note: try ShardNote(folder: $0)) }
        let shards = notes.compactMap { place, note in
            note.flatMap { note in Shard(argument: note.shard).map { (place, note, $0) } }
        }
        guard let (first, joined, shard) = shards.first else { return nil }
        if let other = notes.first(where: { $0.note == nil }) {
            throw StageError.failed(
                "\(other.place): no shard, and \(first) is one; give the shards alone, or the whole alone")
        }
        for (place, note, other) in shards {
            guard other.n == shard.n else {
                throw StageError.failed(
                    "\(place): shard \(other), and \(first) is \(shard); give the shards of one run")
            }
            guard note.asksTheSame(as: joined) else {
                throw StageError.failed(
                    "\(place): its answers are another model's than those of \(first), or drawn otherwise; "
                        + "give the shards of one run")
            }
        }
        let missing = Set(1...shard.n).subtracting(shards.map(\.2.k)).sorted()
        if let k = missing.first {
            throw StageError.failed(
                "--answers: \(missing.count) of \(shard.n) shards are missing, the first is \(k)/\(shard.n); give all"
            )
        }
        if shards.count > shard.n {
            throw StageError.failed(
                "--answers: \(shards.count) folders for \(shard.n) shards; give each shard once")
        }
        var all = joined
        all.seconds = shards.reduce(0) { $0 + $1.1.seconds }
        return all
    }
}
