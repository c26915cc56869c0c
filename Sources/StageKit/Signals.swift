import Foundation
import Synchronization

/// SIGINT, SIGTERM and SIGHUP end a program in order: what is finished is kept, the ledger knows.
///
/// The handler only writes to a pipe; a thread reads it and calls what was set, so that nothing
/// unsafe happens inside a signal, on whichever thread of whichever library it arrived.
package enum Signals {
    private static let action = Mutex<(@Sendable (Int32) -> Void)?>(nil)
    nonisolated(unsafe) private static var pipeEnd: Int32 = -1

    /// Ignores SIGPIPE, so that a closed pipe is an error of the write, and starts to listen.
    static func listen() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw StageError.system("signals", "make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        pipeEnd = ends[1]
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
                var byte = UInt8(truncatingIfNeeded: number)
                let saved = errno
                _ = write(Signals.pipeEnd, &byte, 1)
                errno = saved
            }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
    }

    /// Sets what happens on a signal; it runs on a thread of its own. nil: leave at once.
    static func onSignal(_ body: (@Sendable (Int32) -> Void)?) { action.withLock { $0 = body } }

    private static func act(on number: Int32) {
        if let body = action.withLock({ $0 }) { body(number) } else { _exit(128 + number) }
    }

    /// `nohup` and a shell's background jobs ask for a signal to be ignored; that stays.
    private static func isIgnored(_ number: Int32) -> Bool {
        var old = sigaction()
        sigaction(number, nil, &old)
        return old.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) } == 1
    }
}
