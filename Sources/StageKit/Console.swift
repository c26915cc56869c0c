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
    package func say(_ text: String) { if !isQuiet { put("\(name): \(text)\n") } }

    /// A line that is shown under `--quiet` too.
    package func warn(_ text: String) { put("\(name): \(text)\n") }

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
