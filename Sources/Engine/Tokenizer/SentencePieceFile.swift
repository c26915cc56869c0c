import Foundation

/// A SentencePiece model, `tokenizer.model` or `spiece.model`: pieces with scores, and how text is prepared for them
/// (sentencepiece_model.proto).
struct SentencePieceFile {
    enum Kind: UInt64 { case unigram = 1, bpe = 2 }

    enum PieceType: UInt64 { case normal = 1, unknown, control, userDefined, unused, byte }

    struct Piece {
        var token = Bytes([])
        var score: Float = 0
        var type = PieceType.normal
    }

    var pieces: [Piece] = []
    var kind = Kind.unigram
    var fallsBackToBytes = false
    var unknown = 0
    var begin: Int? = 1
    var end: Int? = 2
    var padding: Int?
    var characterMap: CharacterMap?
    var addsPrefix = true
    var removesExtraSpaces = true
    var escapesSpaces = true
    private let file: String

    /// - Throws: ``TokenizerError/malformed(file:reason:)`` for what is no such model, ``TokenizerError`` for kinds that
    ///   aren't known.
    init(_ data: Data, file: String) throws {
        self.file = file
        for field in try fields([UInt8](data)[...]) {
            switch (field.number, field.value) {
            case (1, .bytes(let bytes)): pieces.append(try piece(bytes))
            case (2, .bytes(let bytes)): try readTraining(bytes)
            case (3, .bytes(let bytes)): try readNormalization(bytes)
            default: break
            }
        }
        guard pieces.indices.contains(unknown) else {
            throw TokenizerError.malformed(file: file, reason: "it has no pieces, or no unknown one")
        }
    }

    private func piece(_ bytes: ArraySlice<UInt8>) throws -> Piece {
        var piece = Piece()
        for field in try fields(bytes) {
            switch (field.number, field.value) {
            case (1, .bytes(let bytes)): piece.token = Bytes(Array(bytes))
            case (2, .fixed(let bits)): piece.score = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
            case (3, .varint(let type)): piece.type = try known(type, "piece type")
            default: break
            }
        }
        return piece
    }

    private mutating func readTraining(_ bytes: ArraySlice<UInt8>) throws {
        func id(_ value: UInt64) -> Int? {
            let id = Int(truncatingIfNeeded: value)
            return id < 0 ? nil : id
        }
        for field in try fields(bytes) {
            guard case .varint(let value) = field.value else { continue }
            switch field.number {
            case 3: kind = try known(value, "model type")
            case 24 where value == 1:
                throw TokenizerError.unsupported(file: file, part: "white space", found: "as suffix")
            case 35: fallsBackToBytes = value == 1
            case 40: unknown = id(value) ?? -1
            case 41: begin = id(value)
            case 42: end = id(value)
            case 43: padding = id(value)
            default: break
            }
        }
    }

    private mutating func readNormalization(_ bytes: ArraySlice<UInt8>) throws {
        for field in try fields(bytes) {
            switch (field.number, field.value) {
            case (2, .bytes(let blob)) where !blob.isEmpty:
                guard let map = CharacterMap(Array(blob)) else {
                    throw TokenizerError.malformed(file: file, reason: "its character map is none")
                }
                characterMap = map
            case (3, .varint(let value)): addsPrefix = value == 1
            case (4, .varint(let value)): removesExtraSpaces = value == 1
            case (5, .varint(let value)): escapesSpaces = value == 1
            default: break
            }
        }
    }

    private func known<Value: RawRepresentable>(_ value: UInt64, _ part: String) throws -> Value
    where Value.RawValue == UInt64 {
        guard let known = Value(rawValue: value) else {
            throw TokenizerError.unsupported(file: file, part: part, found: "\(value)")
        }
        return known
    }

    // MARK: Protocol buffers

    private enum Wire {
        case varint(UInt64)
        case fixed(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private func fields(_ message: ArraySlice<UInt8>) throws -> [(number: UInt64, value: Wire)] {
        var rest = message
        var fields: [(number: UInt64, value: Wire)] = []
        func varint() throws -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard let byte = rest.popFirst() else { throw cut }
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            throw cut
        }
        func take(_ count: UInt64) throws -> ArraySlice<UInt8> {
            guard count <= UInt64(rest.count) else { throw cut }
            defer { rest.removeFirst(Int(count)) }
            return rest.prefix(Int(count))
        }
        while !rest.isEmpty {
            let tag = try varint()
            switch tag & 7 {
            case 0: fields.append((tag >> 3, .varint(try varint())))
            case 1, 5:
                let bits = try take(tag & 7 == 1 ? 8 : 4).reversed().reduce(UInt64(0)) {
                    $0 << 8 | UInt64($1)
                }
                fields.append((tag >> 3, .fixed(bits)))
            case 2: fields.append((tag >> 3, .bytes(try take(varint()))))
            default: throw cut
            }
        }
        return fields
    }

    private var cut: TokenizerError {
        .malformed(file: file, reason: "it is no SentencePiece model, or a part of one")
    }
}
