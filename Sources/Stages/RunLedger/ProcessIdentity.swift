import Foundation

/// Which process made a run: a pid alone is used again, with its start and the boot it isn't.
package struct ProcessIdentity: Sendable, Equatable, Codable {
    package let host: String
    /// The kernel's name for this boot.
    package let boot: String
    package let pid: Int32
    /// Clock ticks from boot to the start of the process (field 22 of `/proc/PID/stat`).
    package let start: Int64

    package init(host: String, boot: String, pid: Int32, start: Int64) {
        self.host = host
        self.boot = boot
        self.pid = pid
        self.start = start
    }

    package static var current: ProcessIdentity {
        let pid = getpid()
        return ProcessIdentity(
            host: hostName, boot: currentBoot, pid: pid, start: start(of: pid) ?? 0)
    }

    /// False only where it is certain that the process has ended; another host's can't be judged.
    package var mayBeAlive: Bool {
        guard host == Self.hostName else { return true }
        guard boot == Self.currentBoot else { return false }
        return Self.start(of: pid) == start
    }

    /// From the kernel; Foundation's would ask the name server.
    private static var hostName: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &name.nodename) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private static var currentBoot: String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    }

    private static func start(of pid: Int32) -> Int64? {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let nameEnd = stat.lastIndex(of: ")")
        else { return nil }
        // The name may hold spaces and brackets; field 3 follows its last bracket. A zombie is gone.
        let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return Int64(fields[19])
    }
}
