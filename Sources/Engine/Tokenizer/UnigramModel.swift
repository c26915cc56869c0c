import JSON

/// The cut of a word whose pieces have the highest sum of scores, their log-probabilities (Kudo 2018), found by Viterbi's
/// algorithm as the `tokenizers` library and SentencePiece do: of equal cuts the one met first, and a character that no
/// piece holds alone may be unknown, at ten below the worst piece.
final class UnigramModel: TokenModel {
    let vocabulary: [Bytes: Int32]
    let unknown: Int32?
    private let unknownID: Int32
    /// By id.
    private let scores: [Double]
    private let unknownScore: Double
    /// SentencePiece adds scores in Float, the `tokenizers` library in Double.
    private let addsInFloat: Bool
    /// Node and byte to node; 0 is the root.
    private let branches: [UInt64: Int32]
    /// The piece that ends at a node, −1 for none.
    private let ends: [Int32]
    private let byteIDs: [Int32?]?

    struct Entry {
        let token: Bytes
        let score: Double
        /// Whether text may be cut into it: a control token has no text.
        var isText = true
    }

    convenience init(_ json: JSON, file: String) throws {
        let entries = (json["vocab"]?.items ?? []).map { item -> Entry? in
            guard let pair = item.items, pair.count == 2, let token = pair[0].asBytes,
                case .number(let score) = pair[1], let score = score.double, score.isFinite
            else { return nil }
            return Entry(token: token, score: score)
        }
        guard !entries.isEmpty, !entries.contains(where: { $0 == nil }) else {
            throw TokenizerError.malformed(file: file, reason: "the model has no list of tokens and scores")
        }
        guard let unknown = json["unk_id"]?.id, Int(unknown) < entries.count else {
            throw TokenizerError.malformed(file: file, reason: "unk_id is not the place of a token")
        }
        self.init(
            entries.compactMap { $0 }, unknown: unknown,
            fallsBackToBytes: json["byte_fallback"]?.flag ?? false,
            addsInFloat: false)
    }

    /// - Parameter entries: by id, not empty.
    init(_ entries: [Entry], unknown: Int32, fallsBackToBytes: Bool, addsInFloat: Bool) {
        vocabulary = Dictionary(
            entries.enumerated().map { ($1.token, Int32($0)) }, uniquingKeysWith: { $1 })
        scores = entries.map(\.score)
        unknownScore = (entries.filter(\.isText).map(\.score).min() ?? 0) - 10
        self.unknown = unknown
        unknownID = unknown
        self.addsInFloat = addsInFloat
        byteIDs = fallsBackToBytes ? Self.byteIDs(vocabulary) : nil
        var branches: [UInt64: Int32] = [:]
        var ends: [Int32] = [-1]
        for (id, entry) in entries.enumerated() where entry.isText && entry.token.count > 0 {
            var node: Int32 = 0
            for byte in entry.token.storage {
                let key = Self.key(node, byte)
                if let next = branches[key] {
                    node = next
                } else {
                    node = Int32(ends.count)
                    branches[key] = node
                    ends.append(-1)
                }
            }
            ends[Int(node)] = Int32(id)
        }
        (self.branches, self.ends) = (branches, ends)
    }

    var rules: [Int32] {
        scores.flatMap { score -> [Int32] in
            let bits = score.bitPattern
            return [Int32(truncatingIfNeeded: bits), Int32(truncatingIfNeeded: bits >> 32)]
        }
    }

    private static func key(_ node: Int32, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 | UInt64(byte) }

    /// The best way to a place in the text.
    private struct Step {
        var id: Int32 = -1
        var start = -1
        var score = 0.0
    }

    func encode(_ word: [Unicode.Scalar]) -> [Int32] {
        let bytes = Bytes(scalars: word).storage
        var steps = [Step](repeating: Step(), count: bytes.count + 1)
        func offer(_ id: Int32, _ score: Double, _ start: Int, _ end: Int) {
            let reached = steps[start].score
            let sum = addsInFloat ? Double(Float(score) + Float(reached)) : score + reached
            if steps[end].start < 0 || sum > steps[end].score {
                steps[end] = Step(id: id, start: start, score: sum)
            }
        }
        var start = 0
        for scalar in word {
            let width = UTF8.width(scalar)
            var isAlone = false
            var node: Int32 = 0
            for end in start..<bytes.count {
                guard let next = branches[Self.key(node, bytes[end])] else { break }
                node = next
                let id = ends[Int(node)]
                if id < 0 { continue }
                offer(id, scores[Int(id)], start, end + 1)
                isAlone = isAlone || end + 1 - start == width
            }
            if !isAlone { offer(unknownID, unknownScore, start, start + width) }
            start += width
        }
        return ids(of: bytes, steps)
    }

    /// Unknown characters beside each other are one unknown, or their bytes.
    private func ids(of bytes: [UInt8], _ steps: [Step]) -> [Int32] {
        var ids: [Int32] = []
        var end = bytes.count
        while end > 0 {
            let step = steps[end]
            var start = step.start
            guard step.id == unknownID else {
                ids.append(step.id)
                end = start
                continue
            }
            while start > 0, steps[start].id == unknownID { start = steps[start].start }
            let spelt = byteIDs.map { ids in bytes[start..<end].compactMap { ids[Int($0)] } } ?? []
            ids += spelt.count == end - start ? spelt.reversed() : [unknownID]
            end = start
        }
        return ids.reversed()
    }
}
