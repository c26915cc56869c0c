import Files
import Foundation
import Synchronization

/// Standard error, shared by messages and the progress line so that they don't write over each other.
package final class Console: Sendable {
    package let name: String
    package let isQuiet: Bool
    let isTerminal: Bool
    let hasColour: Bool
    private let bar = Mutex<String>("")

    package init(name: String, isQuiet: Bool) {
        self.name = name
        self.isQuiet = isQuiet
        let environment = ProcessInfo.processInfo.environment
        isTerminal = isatty(2) == 1 && environment["TERM"] != "dumb"
        hasColour = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
    }

    /// A line of information; silent under `--quiet`.
    package func say(_ text: String) { if !isQuiet { put("\(name): \(text.withoutControls)\n") } }

    /// A line that is shown under `--quiet` too.
    package func warn(_ text: String) { put("\(name): \(text.withoutControls)\n") }

    /// Shows `text` in place of the progress line before it; empty removes it.
    func showBar(_ text: String) {
        bar.withLock { shown in
            if shown == text { return }
            Self.write("\r\u{1B}[K" + text)
            shown = text
        }
    }

    private func put(_ text: String) {
        bar.withLock { shown in
            Self.write(shown.isEmpty ? text : "\r\u{1B}[K" + text + shown)
        }
    }

    /// Standard error may be closed; then there is nobody left to tell.
    static func write(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { writeAll($0, to: 2) }
    }
}

extension String {
    /// With control characters as text (`\u001B`), so that a name or an answer can't command a terminal, nor turn
    /// the direction of what follows. Line breaks and tabs stay.
    package var withoutControls: String {
        guard unicodeScalars.contains(where: Self.isControl) else { return self }
        return unicodeScalars.map {
            Self.isControl($0) ? String(format: "\\u%04X", $0.value) : String($0)
        }.joined()
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case 0x00...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
