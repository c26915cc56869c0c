import Foundation
import JSON
import Records

/// How Sightline knows a folder that it made: by the file `.sightline` inside, a line of JSON that names every file
/// that was written there. What is not named belongs to somebody else and is never erased.
///
/// The file is hidden, so that digests of models pass it over, as transformers and PEFT do. While a folder is being
/// filled it is empty, and locked.
enum FolderSign {
    static let name = ".sightline"
    private static let key = "written_by_sightline"

    /// The relative names that the sign in `folder` lists, where it is complete.
    static func files(in folder: String) -> Set<String>? {
        guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)"),
            let object = try? JSONObject(parsing: ArraySlice(bytes)),
            let names = try? object.strings(key)
        else { return nil }
        return Set(names)
    }

    static func bytes(_ files: some Sequence<String>) -> [UInt8] {
        var object = JSONObject()
        object.set(key, .strings(Set(files).sorted(by: precedes)))
        return object.bytes + [UInt8(ascii: "\n")]
    }

    private static func precedes(_ a: String, _ b: String) -> Bool {
        a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    /// The first file in `folder` that Sightline didn't make, by its relative name; nil where there is none.
    /// - Throws: `StageError` where the folder can't be read.
    static func stranger(in folder: String) throws -> String? {
        let found = try names(in: folder)
        if let listed = files(in: folder) {
            return found.first { !listed.contains($0) }
        }
        if FileManager.default.fileExists(atPath: "\(folder)/\(name)") { return nil }
        return isOfEarlierVersion(folder, found) ? nil : found.first
    }

    /// Relative names of all files in `folder` but the sign, sorted; links aren't followed.
    /// - Throws: `StageError` where a folder can't be read.
    static func names(in folder: String) throws -> [String] {
        func names(below place: String) throws -> [String] {
            let entries: [String]
            do { entries = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(place)") } catch {
                throw StageError.failed(
                    "\(folder)/\(place): can't read the folder (\(error)); check its permissions")
            }
            return try entries.filter { place + $0 != name }.flatMap { entry in
                var status = stat()
                let isFolder =
                    lstat("\(folder)/\(place)\(entry)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
                return isFolder ? try names(below: "\(place)\(entry)/") : [place + entry]
            }
        }
        return try names(below: "").sorted(by: precedes)
    }

    // MARK: - Folders without a sign, as versions up to 0.1.0 made them

    private static let modelFiles: Set<String> = [
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "preprocessor_config.json", "processor_config.json",
        "chat_template.jinja", "chat_template.json", "generation_config.json", "adapter_config.json",
        "adapter_model.safetensors", "reward_config.json", "reward_head.safetensors", "metrics.jsonl",
        "checkpoint.safetensors", "pairs.jsonl",
    ]

    /// Whether nothing but what those versions wrote lies there, and one of the files is written as they alone
    /// wrote it: JSON with a space before its colons, a log of steps, a score sheet.
    private static func isOfEarlierVersion(_ folder: String, _ names: [String]) -> Bool {
        let own = names.filter { !isResidue($0) }
        if own.allSatisfy(modelFiles.contains) {
            return begins("config.json", in: folder, with: "{\n  \"architectures\" : [")
                || begins("adapter_config.json", in: folder, with: "{\n  \"alpha_pattern\" : {")
                || begins("metrics.jsonl", in: folder, with: "{\"step\":1,\"")
        }
        return begins("scores.json", in: folder, with: "{\"captions\":[")
            && own.allSatisfy {
                ["scores.json", "edit.json"].contains($0)
                    || ($0.hasPrefix("answers/") && $0.hasSuffix(".jsonl"))
            }
    }

    private static func begins(_ file: String, in folder: String, with text: String) -> Bool {
        FileManager.default.contents(atPath: "\(folder)/\(file)")?.starts(with: text.utf8) ?? false
    }

    /// What a kill may have left behind while a file was written.
    static func isResidue(_ name: String) -> Bool {
        let last = name.split(separator: "/").last ?? ""
        return last.hasPrefix(".dat.nosync") || last.hasSuffix(".part")
    }

    /// - Parameters:
    ///   - path: what would be erased.
    ///   - output: what `-o` names.
    static func refusal(_ path: String, _ output: String) -> StageError {
        .failed(
            "\(path): Sightline didn't make it, and to write \(output) would erase it; "
                + "move it away or name another output")
    }
}
