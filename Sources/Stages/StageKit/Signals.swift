import Foundation
import Synchronization

/// Stops a thread until the one that deals with a signal ends the process: the signal came first,
/// so nothing may be finished after it.
func waitForTheEnd() -> Never { while true { sleep(60) } }

/// SIGINT, SIGTERM and SIGHUP end a program in order: what is finished is kept, the ledger knows.
///
/// The handler only writes to a pipe; a thread reads it and calls what was set, so that nothing
/// unsafe happens inside a signal, on whichever thread of whichever library it arrived.
package enum Signals {
    private enum Action: Sendable {
        case leave
        /// A row of the ledger is being begun; a signal waits until there is one to end.
        case wait
        case run(@Sendable (Int32) -> Void)
    }

    /// Longest time that an end in order may take; whatever holds it up then (a reader of standard error that
    /// doesn't read, a disk that doesn't answer) the process ends.
    private static let patience: UInt32 = 5

    private static let action = Mutex<Action>(.leave)
    private static let arrived = Atomic<Bool>(false)
    nonisolated(unsafe) private static var pipeEnd: Int32 = -1

    /// Ignores SIGPIPE, so that a closed pipe is an error of the write, and starts to listen.
    static func listen() throws {
        signal(SIGPIPE, SIG_IGN)
        occupyStandardStreams()
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw StageError.system("signals", "make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        pipeEnd = ends[1]
        // Made here, for the handler must not be the first to touch it.
        arrived.store(false, ordering: .relaxed)
        let reader = ends[0]
        Thread.detachNewThread {
            var number: UInt8 = 0
            while true {
                let count = read(reader, &number, 1)
                if count == 1 { act(on: Int32(number)) } else if errno != EINTR { return }
            }
        }
        // A parent's worker thread may have blocked signals, and the block would be inherited.
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&unblocked, number) }
        sigprocmask(SIG_UNBLOCK, &unblocked, nil)
        for number in [SIGINT, SIGTERM, SIGHUP] where !isIgnored(number) {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                Signals.arrived.store(true, ordering: .sequentiallyConsistent)
                var byte = UInt8(truncatingIfNeeded: number)
                let saved = errno
                _ = write(Signals.pipeEnd, &byte, 1)
                errno = saved
            }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
    }

    /// Sets what happens on a signal; it runs on a thread of its own.
    static func onSignal(_ body: @escaping @Sendable (Int32) -> Void) { action.withLock { $0 = .run(body) } }

    /// Whether a signal has come, also one that its thread hasn't begun to deal with.
    static var hasArrived: Bool { arrived.load(ordering: .sequentiallyConsistent) }

    /// Lets signals wait until `onSignal` is called.
    static func hold() { action.withLock { $0 = .wait } }

    /// Lets signals end the process again, where no row was begun.
    static func release() { action.withLock { if case .wait = $0 { $0 = .leave } } }

    /// A closed standard stream would give its number to the next file that is opened, which would then be read for
    /// input or written over with records. What stands there instead refuses both, as a closed one does.
    private static func occupyStandardStreams() {
        for (number, mode) in [(0, O_WRONLY), (1, O_RDONLY), (2, O_RDWR)]
        where fcntl(Int32(number), F_GETFD) < 0 {
            // The lowest free number is this one, for those below are taken.
            _ = open("/dev/null", mode)
        }
    }

    private static func act(on number: Int32) {
        Thread.detachNewThread {
            sleep(patience)
            _exit(128 + number)
        }
        while true {
            switch action.withLock({ $0 }) {
            case .leave: _exit(128 + number)
            case .run(let body): return body(number)
            case .wait: usleep(5_000)
            }
        }
    }

    /// `nohup` and a shell's background jobs ask for a signal to be ignored; that stays.
    private static func isIgnored(_ number: Int32) -> Bool {
        var old = sigaction()
        sigaction(number, nil, &old)
        return old.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) } == 1
    }
}
