import Foundation
import Model
import StageKit

/// What a program will take of the memory that it may, told before weights are read.
package struct MemoryPlan: CustomStringConvertible {
    /// Bytes that the program may take in all.
    package let limit: Int
    private var parts: [(name: String, bytes: Int)] = [("program, tokenizer", 80 << 20)]

    package init(limit: Int) { self.limit = limit }

    /// What drawing and scoring take but for keys and values, and training at least.
    ///
    /// - Throws: `StageError` where the model doesn't fit.
    init(drawingWith family: any VisionLanguageFamily, limit: Int) throws {
        self.init(limit: limit)
        add("weights", family.weightBytes)
        add("activations", Footprint.decodingBytes)
        try check(remedy: "use a smaller model, or give it more")
    }

    package mutating func add(_ name: String, _ bytes: Int) {
        if bytes > 0 { parts.append((name, bytes)) }
    }

    package var total: Int { parts.reduce(0) { $0 + $1.bytes } }
    /// What is left; below 0 where more is wanted than there is.
    package var left: Int { limit - total }

    /// - Parameter remedy: what makes it less.
    /// - Throws: `StageError` with all numbers where the program would take more than it may.
    package func check(remedy: String) throws {
        guard left < 0 else { return }
        throw StageError.failed(
            "\(self), \(MemorySize(bytes: -left)) more than the \(MemorySize(bytes: limit)) of --memory; \(remedy)"
        )
    }

    package var description: String {
        let list = parts.map { "\($0.name) \(MemorySize(bytes: $0.bytes))" }.joined(separator: ", ")
        return "memory: \(MemorySize(bytes: total)) (\(list))"
    }
}
