import Foundation
import JSON

/// The files beside a checkpoint that describe its tokenizer, parsed.
struct TokenizerFiles {
    var tokenizer: JSON
    /// tokenizer_config.json
    var configuration: JSON?
    /// special_tokens_map.json
    var specialTokens: JSON?
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
        tokenizer = try Self.parse(json, file: name)
        self.configuration = try configuration.map { try Self.parse($0, file: "tokenizer_config.json") }
    }

    /// The parsed file, or nil when there is none.
    static func read(_ file: URL) throws -> JSON? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        let data: Data
        do { data = try Data(contentsOf: file) } catch {
            throw TokenizerError.unreadable(
                file: file.path, reason: "can't be read (\(error.localizedDescription))")
        }
        return try parse(data, file: file.path)
    }

    private static func parse(_ data: Data, file: String) throws -> JSON {
        do {
            return try JSON(parsing: [UInt8](data)[...])
        } catch JSONError.malformed(let offset, let found, _) {
            throw TokenizerError.malformed(file: file, reason: "at byte \(offset): \(found)")
        }
    }

    /// The added tokens of tokenizer.json by id, under those of the configuration, as `AutoTokenizer` adds them.
    func addedTokens() throws -> [AddedToken] {
        var tokens = try (tokenizer["added_tokens"]?.items ?? []).map {
            try AddedToken($0, id: nil, file: name)
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
