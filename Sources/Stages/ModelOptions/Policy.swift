import Files
import Foundation
import JSON
import StageKit

/// A model as `--model` names it: a checkpoint, or the folder of an adapter or of the round that trained it, which
/// stands for the checkpoint under it, the adapters of earlier rounds and the adapter itself on top.
package struct Policy: Equatable {
    package static let fileName = "policy.json"

    /// Folder of the checkpoint.
    package let model: String
    /// Folders of the adapters over it, in their order.
    package let adapters: [String]

    package init(model: String, adapters: [String]) { (self.model, self.adapters) = (model, adapters) }

    /// The policy that `folder` names. What an adapter lies over is said by its policy.json, else, as PEFT has it, by
    /// the `base_model_name_or_path` of its configuration.
    /// - Throws: `StageError` for a folder that is no policy, or doesn't say over what it lies.
    package init(at folder: String) throws {
        func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(file)") }
        let part = ["", "/adapter"].first { has("\($0)/adapter_config.json") }
        guard let part, !has("config.json") else {
            self.init(model: folder, adapters: [])
            return
        }
        guard !has("\(part)/reward_head.safetensors") else {
            throw StageError.failed(
                "\(folder): a reward model, which can't answer; give the policy that it was trained on")
        }
        let adapter = folder + part
        let isOurs = has("\(part)/\(Self.fileName)")
        let file = "\(adapter)/\(isOurs ? Self.fileName : "adapter_config.json")"
        do {
            let object = try JSONObject(parsing: ArraySlice(Data(contentsOf: URL(fileURLWithPath: file))))
            guard isOurs else {
                let base = try object.requiredString("base_model_name_or_path")
                guard FileManager.default.fileExists(atPath: base) else {
                    throw StageError.failed(
                        "its base_model_name_or_path is \(base), and there is no such folder")
                }
                self.init(model: base, adapters: [adapter])
                return
            }
            let under = try (object.strings("adapters") ?? []).map { Self.path($0, from: adapter) }
            self.init(
                model: Self.path(try object.requiredString("model"), from: adapter),
                adapters: under + [adapter])
        } catch {
            throw StageError.failed(
                "\(file): \(error); name the checkpoint with --model and this with --adapter")
        }
    }

    /// Writes policy.json for an adapter over this policy.
    /// - Parameters:
    ///   - folder: where it is written.
    ///   - place: where that folder will be; relative paths are told from there, so that runs may be moved whole.
    package func write(to folder: String, at place: String) throws {
        var object = JSONObject()
        object.set("model", .string(Self.relative(model, to: place)))
        object.set("adapters", .strings(adapters.map { Self.relative($0, to: place) }))
        try AtomicFile.write(object.text + "\n", to: "\(folder)/\(Self.fileName)")
    }

    /// `path`, which is told from `folder`, from here. Where `folder` is reached by a link, it is told from what that
    /// leads to.
    private static func path(_ path: String, from folder: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        let named = lexical(path, from: folder)
        if FileManager.default.fileExists(atPath: named) { return named }
        let real = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        let found = lexical(path, from: real)
        return FileManager.default.fileExists(atPath: found) ? found : named
    }

    private static func lexical(_ path: String, from folder: String) -> String {
        let parts = self.parts("\(folder)/\(path)")
        guard !folder.hasPrefix("/") else { return "/" + parts.joined(separator: "/") }
        return relative(parts, to: self.parts("."))
    }

    private static func relative(_ path: String, to folder: String) -> String {
        path.hasPrefix("/") ? path : relative(parts(path), to: parts(folder))
    }

    private static func relative(_ path: [String], to folder: [String]) -> String {
        let shared = zip(path, folder).prefix { $0 == $1 }.count
        let steps = folder[shared...].map { _ in ".." } + path[shared...]
        return steps.isEmpty ? "." : steps.joined(separator: "/")
    }

    /// The names on the way to a path from the root, as they are written: what links lead to plays no part.
    private static func parts(_ path: String) -> [String] {
        let whole = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        return whole.split(separator: "/").reduce(into: []) { parts, name in
            switch name {
            case ".": break
            case "..": _ = parts.popLast()
            default: parts.append(String(name))
            }
        }
    }
}
