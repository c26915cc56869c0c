import Foundation

/// The files beside a checkpoint that describe its tokenizer, parsed.
struct TokenizerFiles {
    var tokenizer: JSONValue
    /// tokenizer_config.json
    var configuration: JSONValue?
    /// special_tokens_map.json
    var specialTokens: JSONValue?
    var name: String
    var configurationName: String

    /// Reads tokenizer.json, which must be there, and the two others where they are.
    init(directory: URL) throws {
        let file = directory.appendingPathComponent("tokenizer.json")
        guard let tokenizer = try Self.read(file) else {
            throw TokenizerError.unreadable(file: file.path, reason: "there is no such file")
        }
        self.tokenizer = tokenizer
        name = file.path
        let configurationFile = directory.appendingPathComponent("tokenizer_config.json")
        configurationName = configurationFile.path
        configuration = try Self.read(configurationFile)
        specialTokens = try Self.read(directory.appendingPathComponent("special_tokens_map.json"))
    }

    init(json: Data, configuration: Data?) throws {
        name = "tokenizer.json"
        configurationName = "tokenizer_config.json"
        tokenizer = try JSONValue.parse([UInt8](json), file: name)
        self.configuration = try configuration.map {
            try JSONValue.parse([UInt8]($0), file: "tokenizer_config.json")
        }
    }

    /// The parsed file, or nil when there is none.
    static func read(_ file: URL) throws -> JSONValue? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        do {
            return try JSONValue.parse([UInt8](Data(contentsOf: file)), file: file.path)
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw TokenizerError.unreadable(
                file: file.path, reason: "can't be read (\(error.localizedDescription))")
        }
    }

    /// The added tokens of tokenizer.json by id, under those of the configuration, as `AutoTokenizer` adds them.
    func addedTokens() throws -> [AddedToken] {
        var tokens = try (tokenizer["added_tokens"]?.items ?? []).map {
            try AddedToken($0, id: nil, file: name)
        }
        for (key, value) in configuration?["added_tokens_decoder"]?.entries ?? [] {
            guard let id = Int32(key.text) else {
                throw TokenizerError.malformed(
                    file: configurationName,
                    reason: "added_tokens_decoder has the key \"\(key.text)\", which is no id")
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
            if let value = source?[key], let token = value.bytes ?? value["content"]?.bytes { return token }
        }
        return nil
    }
}
