import GRDB

/// Why the ledger can't be used. Stages meet it before they start to work.
package enum LedgerError: Error, Equatable, CustomStringConvertible {
    case noFolder(path: String)
    case notADatabase(path: String)
    case foreignDatabase(path: String)
    case newerSchema(path: String)
    case damaged(path: String, detail: String)
    case locked(path: String)
    case readOnly(path: String)
    case unopenable(path: String, detail: String)
    /// A value that the schema doesn't take.
    case refused(path: String, detail: String)
    case failed(path: String, detail: String)
    case noSuchRun(path: String, id: Int64)

    /// Whether the same may succeed later, as the ledger is held or its disk is full.
    package var mayPass: Bool {
        switch self {
        case .locked, .failed: true
        default: false
        }
    }

    package var description: String {
        let otherwise = "or go without it: --no-ledger"
        switch self {
        case .noFolder(let path):
            return "\(path): no such ledger and no folder for one; make the folder, \(otherwise)"
        case .notADatabase(let path):
            return "\(path): not an SQLite file; name another --ledger, \(otherwise)"
        case .foreignDatabase(let path):
            return "\(path): a database, but not a ledger; name another --ledger, \(otherwise)"
        case .newerSchema(let path):
            return "\(path): the ledger was written by a newer version; update this program, \(otherwise)"
        case .damaged(let path, let detail):
            return "\(path): the ledger is damaged (\(detail)); move it away, save its rows with "
                + "\"sqlite3 \(path) .recover\", \(otherwise)"
        case .locked(let path):
            return "\(path): the ledger is locked by another program for more than "
                + "\(Ledger.busySeconds) seconds; find it with \"fuser \(path)\", \(otherwise)"
        case .readOnly(let path):
            return "\(path): the ledger can't be written; make file and folder writable, "
                + otherwise
        case .unopenable(let path, let detail):
            return
                "\(path): the ledger can't be opened (\(detail)); check the path and its permissions, \(otherwise)"
        case .refused(let path, let detail):
            return "\(path): the ledger rejects this (\(detail)); report it, \(otherwise)"
        case .failed(let path, let detail):
            return "\(path): the ledger refused (\(detail)); look into it, \(otherwise)"
        case .noSuchRun(let path, let id):
            return "\(path): no run \(id); \"ledger list\" lists the runs"
        }
    }

    /// Runs `body` and says what an SQLite error means for the ledger at `path`.
    static func translating<T>(_ path: String, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as DatabaseError {
            switch error.resultCode {
            case .SQLITE_NOTADB: throw LedgerError.notADatabase(path: path)
            case .SQLITE_CORRUPT: throw LedgerError.damaged(path: path, detail: error.message ?? "corrupt")
            case .SQLITE_BUSY, .SQLITE_LOCKED: throw LedgerError.locked(path: path)
            case .SQLITE_READONLY, .SQLITE_PERM: throw LedgerError.readOnly(path: path)
            case .SQLITE_CANTOPEN:
                throw LedgerError.unopenable(path: path, detail: error.message ?? "can't open")
            case .SQLITE_CONSTRAINT:
                throw LedgerError.refused(path: path, detail: error.message ?? "a constraint")
            default: throw LedgerError.failed(path: path, detail: error.message ?? "\(error.resultCode)")
            }
        }
    }
}
