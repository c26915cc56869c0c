import Foundation
import RunLedger

/// The text of a prompt from a file, with a name that says which text it was.
package struct PromptFile: Sendable {
    package let text: String
    /// The file's name and the beginning of its digest.
    package let name: String
}

extension StageRun {
    /// Reads the file that `--prompt-file` names; the ledger knows it as an input.
    package func promptFile(_ path: String) throws -> PromptFile {
        let bytes: Data
        do { bytes = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw StageError.failed("--prompt-file \(path): it can't be read; check the path")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StageError.failed("--prompt-file \(path): not valid UTF-8; convert the file")
        }
        let artefact = try Digest.artefact(path, kind: .file)
        addIngredient(artefact, role: "prompt")
        let file = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        return PromptFile(
            text: text, name: "\(file)@\(artefact.digest.prefix(8))")
    }
}
