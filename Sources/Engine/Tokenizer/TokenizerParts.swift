import JSON

/// What a tokenizer is made of, whichever file says so.
struct TokenizerParts {
    let model: any TokenModel
    let normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let postProcessor: PostProcessor
    let decoder: TokenDecoder?
    let added: [AddedToken]
    /// Ids of special tokens by name, for those that no configuration names.
    let special: [String: Int32]

    /// Reads tokenizer.json.
    init(_ files: TokenizerFiles, _ json: JSON) throws {
        guard let modelJSON = json["model"] else {
            throw TokenizerError.malformed(file: files.name, reason: "there is no model")
        }
        model = try readTokenModel(modelJSON, file: files.name)
        let own = try json["normalizer"].map { try Normalizer($0, file: files.name) }
        // SigLIP 2's class lowers the case of what it reads, whatever its file says.
        normalizer =
            files.tokenizerClass == "Siglip2Tokenizer"
            ? .sequence([.lowercase] + (own.map { [$0] } ?? [])) : own
        added = try files.addedTokens(
            over: (json["added_tokens"]?.items ?? []).map { try AddedToken($0, id: nil, file: files.name) })
        preTokenizer = try json["pre_tokenizer"].map { try PreTokenizer($0, file: files.name) }
        decoder = try json["decoder"].map { try TokenDecoder($0, file: files.name) }
        postProcessor =
            try json["post_processor"].map { try PostProcessor($0, file: files.name) } ?? PostProcessor()
        special = model.unknown.map { ["unk_token": $0] } ?? [:]
    }
}
