import JSON
import Records

/// What the bytes of an output depend on.
enum Identity {
    static func of(_ run: StageRun, inputs: [(path: String, digest: String)]) -> JSONObject {
        var identity = JSONObject()
        identity.set("stage", .string(run.stage))
        identity.set("version", .string(sightlineVersion))
        identity.set("core", run.core.map { .string($0) } ?? JSON.null)
        var settings = JSONObject()
        for setting in run.settings where !run.immaterial.contains(setting.key) {
            settings.set("--\(setting.key)", Secrets.identity(of: setting))
        }
        identity.set("settings", .object(settings))
        var files = JSONObject()
        for (i, input) in inputs.enumerated() { files.set("input \(i + 1)", .string(input.digest)) }
        identity.set("inputs", .object(files))
        var models = JSONObject()
        for (role, digest) in run.ingredients.sorted(by: { $0.key < $1.key }) {
            models.set(role, .string(digest))
        }
        identity.set("models", .object(models))
        return identity
    }

    /// - Parameter line: what the side file says of its run.
    /// - Throws: `StageError` where that is another run, with the difference.
    static func check(
        _ line: ArraySlice<UInt8>, is own: JSONObject, part: String, side: String
    ) throws {
        let other: JSONObject
        do { other = try JSONObject(parsing: line) } catch {
            throw StageError.failed("\(side): \(error); delete it or run without --resume")
        }
        let differences = differences(from: other, to: own)
        guard differences.isEmpty else {
            throw StageError.failed(
                "\(part): another run made it: \(differences.joined(separator: ", ")); "
                    + "use its options, or run without --resume")
        }
    }

    /// In words: `--temperature was 1 and is 0.7`, `input 1 has changed`.
    static func differences(from old: JSONObject, to new: JSONObject, inside: String = "") -> [String] {
        var keys = old.keys
        for key in new.keys where old[key] == nil { keys.append(key) }
        return keys.flatMap { key -> [String] in
            let (was, now) = (old[key], new[key])
            if was == now { return [] }
            if case .object(let before)? = was, case .object(let after)? = now {
                return differences(from: before, to: after, inside: key)
            }
            switch inside {
            case "inputs": return ["\(key) has changed"]
            case "models":
                return [key == "prompt" ? "the prompt's text differs" : "the model \(key) differs"]
            default: return ["\(key) was \(shown(was)) and is \(shown(now))"]
            }
        }
    }

    private static func shown(_ value: JSON?) -> String {
        switch value {
        case nil, .null: "not set"
        case .string(let text): text.isEmpty ? "empty" : text
        case let value?: value.text
        }
    }
}
