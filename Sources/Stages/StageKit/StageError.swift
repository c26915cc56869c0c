import Files
import Foundation

/// Why a program stops, with the exit code that says so.
package struct StageError: Error, Sendable, CustomStringConvertible {
    package enum Code: Int32, Sendable {
        case failed = 1
        case doneWithSkipped = 2
        case usage = 64
        case lockHeld = 75
        /// The reader of our output has gone: all is well, say nothing.
        case closedPipe = 0
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    package static func failed(_ text: String) -> StageError { StageError(.failed, text) }
    package static func usage(_ text: String) -> StageError { StageError(.usage, text) }

    static let closedPipe = StageError(.closedPipe, "the reader of the output has gone")

    /// What `errno` says about `path`, and what to do.
    static func system(_ path: String, _ doing: String, _ number: Int32 = errno) -> StageError {
        .failed(FileError(path, doing, number).description)
    }
}
