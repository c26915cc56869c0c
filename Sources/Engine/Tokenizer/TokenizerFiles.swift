import Files
import Foundation
import JSON

/// The files beside a checkpoint that describe its tokenizer, parsed.
struct TokenizerFiles {
    private enum Source {
        case json(JSON)
        case sentencePiece(Data)
    }

    private var source: Source
    /// tokenizer_config.json
    var configuration: JSON?
    /// special_tokens_map.json
    var specialTokens: JSON?
    /// added_tokens.json, ids by token, which old tokenizers have.
    private var addedIDs: JSON?
    /// The file with the vocabulary.
    var name: String
    private var configurationName: String

    /// Reads tokenizer.json, or without it a SentencePiece model, and the others where they are.
    init(directory: URL) throws {
        let file = directory.appendingPathComponent("tokenizer.json")
        name = file.path
        if let tokenizer = try Self.read(file) {
            source = .json(tokenizer)
        } else {
            let models = ["tokenizer.model", "spiece.model"].map(directory.appendingPathComponent)
            guard let model = try models.lazy.compactMap({ try Self.data(of: $0) }).first else {
                throw TokenizerError.unreadable(file: file.path, reason: "there is no such file")
            }
            name = models.first { FileManager.default.fileExists(atPath: $0.path) }?.path ?? name
            source = .sentencePiece(model)
            addedIDs = try Self.read(directory.appendingPathComponent("added_tokens.json"))
        }
        let configurationFile = directory.appendingPathComponent("tokenizer_config.json")
        configurationName = configurationFile.path
        configuration = try Self.read(configurationFile)
        specialTokens = try Self.read(directory.appendingPathComponent("special_tokens_map.json"))
    }

    init(json: Data, configuration: Data?) throws {
        name = "tokenizer.json"
        configurationName = "tokenizer_config.json"
        source = .json(try Self.parse(json, file: name))
        self.configuration = try configuration.map { try Self.parse($0, file: "tokenizer_config.json") }
    }

    func parts() throws -> TokenizerParts {
        switch source {
        case .json(let json): try TokenizerParts(self, json)
        case .sentencePiece(let data):
            try TokenizerParts(sentencePiece: SentencePieceFile(data, file: name), self)
        }
    }

    /// On the right and unmasked where nothing is said, but for SigLIP 2's, which pads on the left.
    var padding: Tokenizer.Padding {
        let side = configuration?["padding_side"]?.asText
        let inputs = configuration?["model_input_names"]?.items?.compactMap(\.asText) ?? []
        return Tokenizer.Padding(
            isLeft: side.map { $0 == "left" } ?? (tokenizerClass == "Siglip2Tokenizer"),
            isMasked: inputs.contains("attention_mask"))
    }

    /// As transformers calls it, without the ending of the fast ones.
    var tokenizerClass: String? {
        let name = configuration?["tokenizer_class"]?.asText
        return name.map { $0.hasSuffix("Fast") ? String($0.dropLast(4)) : $0 }
    }

    /// The parsed file, or nil when there is none.
    static func read(_ file: URL) throws -> JSON? {
        try data(of: file).map { try parse($0, file: file.path) }
    }

    static func data(of file: URL) throws -> Data? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        do { return try SmallFile.read(file) } catch {
            throw TokenizerError.unreadable(file: file.path, reason: "can't be read (\(error.finding))")
        }
    }

    private static func parse(_ data: Data, file: String) throws -> JSON {
        do {
            return try JSON(parsing: [UInt8](data)[...])
        } catch JSONError.malformed(let offset, let found, _) {
            throw TokenizerError.malformed(file: file, reason: "at byte \(offset): \(found)")
        }
    }

    /// The added tokens of the vocabulary's file by id, under those of the files beside it, as `AutoTokenizer` adds them.
    func addedTokens(over own: [AddedToken]) throws -> [AddedToken] {
        var tokens = own
        for (token, id) in addedIDs?.entries ?? [] {
            guard let id = id.id else {
                throw TokenizerError.malformed(file: "added_tokens.json", reason: "\"\(token)\" has no id")
            }
            tokens.append(AddedToken(id: id, content: Bytes(token), isSpecial: true))
        }
        for (key, value) in configuration?["added_tokens_decoder"]?.entries ?? [] {
            guard let id = Int32(key) else {
                throw TokenizerError.malformed(
                    file: configurationName,
                    reason: "added_tokens_decoder has the key \"\(key)\", which is not an id")
            }
            let token = try AddedToken(value, id: id, file: configurationName)
            if let known = tokens.firstIndex(where: { $0.id == id }) {
                tokens[known] = token
            } else {
                tokens.append(token)
            }
        }
        return tokens
    }

    /// The text of a named token such as `bos_token`, given as a string or as an object with `content`.
    func specialToken(_ key: String) -> Bytes? {
        for source in [configuration, specialTokens] {
            if let value = source?[key], let token = value.asBytes ?? value["content"]?.asBytes {
                return token
            }
        }
        return nil
    }
}
