import Foundation
import Synchronization

/// The engine's threads. Results never depend on their number: work is cut into pieces whose arithmetic
/// is the same wherever they run.
package enum Parallel {
    private static let count = Atomic<Int>(ProcessInfo.processInfo.activeProcessorCount)

    package static var threads: Int {
        get { count.load(ordering: .relaxed) }
        set { count.store(max(1, newValue), ordering: .relaxed) }
    }

    /// Calls `body` with each index of `0..<tasks`, spread over the threads as they fall free; one after the other
    /// when called from `body`, or while another thread has the helpers.
    package static func run(_ tasks: Int, _ body: @Sendable (Int) -> Void) {
        let workers = min(threads, tasks)
        if workers > 1, Crew.shared.run(tasks, helpers: workers - 1, body) { return }
        for task in 0..<tasks { body(task) }
    }

    /// Calls `body` with consecutive ranges of about `grain` items that cover `0..<items`.
    package static func ranges(_ items: Int, grain: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let pieces = (items + grain - 1) / grain
        run(pieces) { body($0 * grain..<min(items, ($0 + 1) * grain)) }
    }
}

/// Results of parallel work: each task fills its own slot.
package final class Slots<Value>: @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<Value?>

    package init(count: Int) {
        storage = .allocate(capacity: count)
        storage.initialize(repeating: nil)
    }

    deinit {
        storage.deinitialize()
        storage.deallocate()
    }

    package subscript(index: Int) -> Value? {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    /// The filled slots, in order.
    package var values: [Value] { storage.compactMap { $0 } }
}
