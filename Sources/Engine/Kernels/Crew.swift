import CKernels
import Foundation
import Synchronization

/// The threads that help a caller of `Parallel`. A decoding step is hundreds of short pieces of parallel work with
/// little between them: a helper waits awake for the next one for a moment before it sleeps, because waking a
/// thread takes longer than most pieces.
///
/// One caller has the crew at a time. A helper that comes late finds the work closed and goes back to waiting, so
/// a caller waits only for helpers that are in the middle of a task.
final class Crew: Sendable {
    static let shared = Crew()

    private struct Job {
        var body: (@Sendable (Int) -> Void)?
        var tasks = 0
        var helpers = 0
    }

    /// Turns of a waiting loop, about 40 ns each.
    private static let patience = 2000
    private static let closed = 1 << 32

    private let isTaken = Atomic<Bool>(false)
    /// Counts jobs; helpers wait for it to change.
    private let generation = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    /// Helpers inside the job, plus `closed` while there is none to join.
    private let inside = Atomic<Int>(closed)
    private let next = Atomic<Int>(0)
    /// Written by the caller while closed, read by helpers that are inside.
    nonisolated(unsafe) private var job = Job()
    /// Touched by the caller alone.
    nonisolated(unsafe) private var members = 0
    private let bell = NSCondition()

    /// Runs `body` on the indices of `0..<tasks`, on this thread and `helpers` more.
    /// - Returns: false, having done nothing, while another caller has the crew (or this one, in a nested call).
    func run(_ tasks: Int, helpers: Int, _ body: @Sendable (Int) -> Void) -> Bool {
        guard isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            return false
        }
        while members < helpers {
            let index = members
            members += 1
            let thread = Thread { [self] in help(index) }
            thread.stackSize = 8 << 20
            thread.start()
        }
        withoutActuallyEscaping(body) { body in
            job = Job(body: body, tasks: tasks, helpers: helpers)
            next.store(0, ordering: .relaxed)
            inside.subtract(Self.closed, ordering: .releasing)
            generation.add(1, ordering: .sequentiallyConsistent)
            if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
                bell.withLock { bell.broadcast() }
            }
            work(body, tasks)
            inside.add(Self.closed, ordering: .acquiringAndReleasing)
            spin(until: { inside.load(ordering: .acquiring) == Self.closed })
            job.body = nil
        }
        isTaken.store(false, ordering: .releasing)
        return true
    }

    private func work(_ body: @Sendable (Int) -> Void, _ tasks: Int) {
        while true {
            let task = next.add(1, ordering: .relaxed).oldValue
            if task >= tasks { return }
            body(task)
        }
    }

    private func help(_ index: Int) {
        var seen = 0
        while true {
            awaitJob(after: seen)
            seen = generation.load(ordering: .acquiring)
            if inside.add(1, ordering: .acquiring).oldValue < Self.closed { join(index) }
            inside.subtract(1, ordering: .releasing)
        }
    }

    /// A function of its own: in the loop of `help` the compiler may hold the body until the next turn, when its
    /// caller has long gone.
    private func join(_ index: Int) {
        guard index < job.helpers, let body = job.body else { return }
        work(body, job.tasks)
    }

    private func awaitJob(after seen: Int) {
        for _ in 0..<Self.patience {
            if generation.load(ordering: .acquiring) != seen { return }
            sl_pause()
        }
        bell.withLock {
            sleepers.add(1, ordering: .sequentiallyConsistent)
            while generation.load(ordering: .sequentiallyConsistent) == seen { bell.wait() }
            sleepers.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    private func spin(until isDone: () -> Bool) {
        var turns = 0
        while !isDone() {
            turns += 1
            // The helper may have lost its core to another process.
            if turns < Self.patience { sl_pause() } else { sched_yield() }
        }
    }
}
