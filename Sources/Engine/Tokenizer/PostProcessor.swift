import JSON

/// What is put around the ids of a whole text when special tokens are asked for.
struct PostProcessor: Sendable {
    var before: [Int32] = []
    var after: [Int32] = []

    init(before: [Int32] = [], after: [Int32] = []) {
        self.before = before
        self.after = after
    }

    /// Reads tokenizer.json's `post_processor`. Throws on a type that is not known.
    init(_ json: JSON, file: String) throws {
        switch json["type"]?.asText {
        case "ByteLevel":
            // It moves offsets only; ids pass through.
            return
        case "Sequence":
            for step in json["processors"]?.items ?? [] {
                let inner = try PostProcessor(step, file: file)
                before = inner.before + before
                after += inner.after
            }
        case "TemplateProcessing": try readTemplate(json, file: file)
        case "RobertaProcessing", "BertProcessing":
            guard let first = json["cls"]?.items?.last?.id, let last = json["sep"]?.items?.last?.id else {
                throw TokenizerError.malformed(
                    file: file, reason: "the post-processor lacks the ids of cls and sep")
            }
            (before, after) = ([first], [last])
        case let type:
            throw TokenizerError.unsupported(
                file: file, part: "post-processor", found: type ?? "without type")
        }
    }

    private mutating func readTemplate(_ json: JSON, file: String) throws {
        var seenText = false
        for item in json["single"]?.items ?? [] {
            if item["Sequence"] != nil {
                seenText = true
                continue
            }
            let name = item["SpecialToken"]?["id"]?.asText ?? ""
            guard let ids = json["special_tokens"]?[name]?["ids"]?.items?.map(\.id), !ids.contains(nil) else {
                throw TokenizerError.malformed(
                    file: file,
                    reason: "the post-processor's template names \"\(name)\" without giving its ids")
            }
            if seenText { after += ids.compactMap { $0 } } else { before += ids.compactMap { $0 } }
        }
    }
}
