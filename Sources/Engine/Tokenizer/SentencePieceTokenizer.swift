import Foundation
import JSON

/// The parts of a tokenizer that lies in a SentencePiece model alone, put together so that they give its ids.
extension TokenizerParts {
    init(sentencePiece file: SentencePieceFile, _ files: TokenizerFiles) throws {
        let isSiglip = files.tokenizerClass == "SiglipTokenizer"
        let lowercases = files.configuration?["do_lower_case"]?.flag ?? true
        model = file.kind == .bpe ? Self.bpe(file) : Self.unigram(file)
        // What SigLIP's tokenizer does to a text before the model sees it, the mark in front included.
        let canonical: [Normalizer] =
            isSiglip
            ? [.replace(.literal(["▁"]), [" "]), .prepend(["▁"])] + (lowercases ? [.lowercase] : [])
                + [
                    .replace(.punctuation, []), .replace(.separators, [" "]), .replace(.spaces, [" "]),
                    .strip(left: true, right: true),
                ]
            : []
        // SigLIP's has another text put in front, which is taken away again.
        let spaces: ExtraSpaces =
            file.removesExtraSpaces ? (isSiglip ? .removedAfterFirst : .removed) : .kept
        normalizer = .sequence(canonical + [.sentencePiece(file.characterMap, spaces)])
        let isLegacy = files.configuration?["legacy"]?.flag ?? true
        let addsPrefix = file.addsPrefix && !isSiglip
        preTokenizer = .mark(
            file.escapesSpaces ? "▁" : " ", scheme: addsPrefix ? (isLegacy ? .always : .first) : .never)
        decoder = .sequence(
            [.replace(Array("▁".utf8), [0x20]), .byteFallback, .fuse]
                + (addsPrefix || isSiglip ? [.strip(" ", start: 1, stop: 0)] : []))
        added = try Self.added(file, files)
        let start = file.begin.flatMap { file.pieces.indices.contains($0) ? Int32($0) : nil }
        let end = file.end.flatMap { file.pieces.indices.contains($0) ? Int32($0) : nil }
        // As T5 and SigLIP end a text, the others begin it.
        postProcessor =
            ["SiglipTokenizer", "T5Tokenizer"].contains(files.tokenizerClass)
            ? PostProcessor(after: [end].compactMap { $0 }) : PostProcessor(before: [start].compactMap { $0 })
        special = [
            "bos_token": start, "eos_token": end, "unk_token": Int32(file.unknown),
            "pad_token": isSiglip ? end : file.padding.map { Int32($0) },
        ].compactMapValues { $0 }
    }

    private static func unigram(_ file: SentencePieceFile) -> UnigramModel {
        UnigramModel(
            file.pieces.map {
                UnigramModel.Entry(
                    token: $0.token, score: Double($0.score),
                    isText: $0.type == .normal || $0.type == .userDefined)
            }, unknown: Int32(file.unknown), fallsBackToBytes: file.fallsBackToBytes, addsInFloat: true)
    }

    /// Pieces are merged by their score: every way to put a piece together has its rank.
    private static func bpe(_ file: SentencePieceFile) -> BPEModel {
        let vocabulary = Dictionary(
            file.pieces.enumerated().map { ($1.token, Int32($0)) }, uniquingKeysWith: { first, _ in first })
        let normal = file.pieces.indices.filter { file.pieces[$0].type == .normal }
            .sorted { (-file.pieces[$0].score, $0) < (-file.pieces[$1].score, $1) }
        let isNormal = Set(normal.map { Int32($0) })
        var merges: [BPEModel.Rule] = []
        for (rank, id) in normal.enumerated() {
            let scalars = file.pieces[id].token.scalars
            for cut in scalars.indices.dropFirst() {
                guard let left = vocabulary[Bytes(scalars: scalars[..<cut])], isNormal.contains(left),
                    let right = vocabulary[Bytes(scalars: scalars[cut...])], isNormal.contains(right)
                else { continue }
                merges.append(
                    BPEModel.Rule(
                        left: left, right: right, merge: BPEModel.Merge(rank: Int32(rank), id: Int32(id))))
            }
        }
        return BPEModel(
            vocabulary: vocabulary, merges: merges, unknown: Int32(file.unknown),
            fallsBackToBytes: file.fallsBackToBytes)
    }

    /// Control pieces and those that a user has defined are cut out of the text before anything else; so are tokens that
    /// the files beside the model add.
    private static func added(_ file: SentencePieceFile, _ files: TokenizerFiles) throws -> [AddedToken] {
        let own = file.pieces.enumerated().filter { [.unknown, .control, .userDefined].contains($1.type) }
            .map { AddedToken(id: Int32($0), content: $1.token, isSpecial: $1.type != .userDefined) }
        return try files.addedTokens(over: own)
    }
}
