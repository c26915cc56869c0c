import Foundation

/// An exclusive `flock` that the kernel drops with the process, however it ends.
package final class RunLock: Sendable {
    package let path: String
    let descriptor: Int32
    private let isInherited: Bool

    /// - Throws: `StageError.usage` for what is no name of a run.
    package static func check(run name: String) throws {
        guard isRunName(name) else {
            throw StageError.usage("--run \(name): not a name; use letters, digits, '-', '_' and '.'")
        }
    }

    /// The lock of the run `name`: `runs/NAME/.lock`.
    /// - Throws: `StageError` with exit code 75 where another process holds it.
    /// - Parameter isInherited: whether programs that this one starts keep the lock.
    package static func acquire(
        run name: String, in folder: String = "runs", isInherited: Bool = false
    ) throws -> RunLock {
        try check(run: name)
        let home = "\(folder)/\(name)"
        do {
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        } catch {
            throw StageError.failed(
                "\(home): can't make the folder of the run (\(error)); check its permissions")
        }
        return try RunLock(path: "\(home)/.lock", of: "run \(name)", isInherited: isInherited)
    }

    /// - Parameter subject: what is locked, as the error says it.
    /// - Parameter isInherited: whether programs that this one starts keep the lock.
    package init(path: String, of subject: String, isInherited: Bool = false) throws {
        self.path = path
        self.isInherited = isInherited
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | (isInherited ? 0 : O_CLOEXEC), 0o666)
            guard descriptor >= 0 else { throw StageError.system(path, "open or make it") }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let number = errno
                close(descriptor)
                if number == EINTR { continue }
                guard number == EWOULDBLOCK else { throw StageError.system(path, "lock it", number) }
                throw StageError(
                    .lockHeld, "\(path): another process is working on \(subject); wait for it or stop it")
            }
            // The holder before us may have removed the file between our open and our lock.
            if Self.isSameFile(descriptor, path) {
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    /// Becomes the command `words` as the one holder of the run `name`, to which the stages that it starts belong.
    /// Where a command around this one holds that lock already, it is held for both.
    /// - Parameter remedy: what to do where the command can't be run.
    /// - Throws: `StageError`, with exit code 75 where another process holds the lock.
    package static func become(_ words: [String], run name: String, orElse remedy: String) throws -> Never {
        let outerRun = ProcessInfo.processInfo.environment[StageRun.runVariable]
        let lock = name == outerRun ? nil : try acquire(run: name, isInherited: true)
        defer { withExtendedLifetime(lock) {} }
        setenv(StageRun.runVariable, name, 1)
        try Program.become(words, orElse: remedy)
    }

    deinit {
        // A child holds the descriptor too until it has become its program; closing ours would not free the lock.
        if !isInherited { flock(descriptor, LOCK_UN) }
        close(descriptor)
    }

    private static func isSameFile(_ descriptor: Int32, _ path: String) -> Bool {
        var held = stat()
        var named = stat()
        return fstat(descriptor, &held) == 0 && stat(path, &named) == 0
            && held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }

    static func isRunName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".")
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
