import Foundation
import RunLedger
import Synchronization

/// The row of a run in the ledger. Once it stands, a ledger that fails is no reason to stop the work: what couldn't
/// be told waits, at the end in a file beside the output, and the next run brings it in.
final class LedgerRow: Sendable {
    private let ledger: Ledger
    private let start: RunStart
    private let id: Int64
    private let console: Console
    /// Beside which the file lies.
    private let output: String
    private let notes = Mutex(Notes())

    private struct Notes {
        var all: [RunNote] = []
        /// How many of them the ledger has been told.
        var told = 0
        var waiting: ArraySlice<RunNote> { all[told...] }
    }

    /// - Throws: `LedgerError` where the ledger can't be used.
    init(_ ledger: Ledger, _ start: RunStart, output: String?, console: Console) throws {
        (self.ledger, self.start) = (ledger, start)
        self.console = console
        self.output = output ?? ledger.path
        id = try ledger.begin(start)
    }

    func add(_ note: RunNote) {
        notes.withLock { notes in
            notes.all.append(note)
            // One that has failed would keep the work waiting each time.
            if notes.waiting.count == 1 { tell(&notes) }
        }
    }

    /// Adds how the run ended, and leaves in a file what the ledger still doesn't take.
    func end(_ end: RunEnd) {
        notes.withLock { notes in
            notes.all.append(.end(end, Date()))
            if ledger.isGone, startOver(notes.all) { return }
            tell(&notes)
            if notes.waiting.isEmpty { return }
            do {
                let rows = WaitingRows(ledger: ledger.path, run: id, Array(notes.waiting))
                let path = try rows.write(beside: [output, ledger.path])
                console.warn(
                    "this run's ledger rows wait in \(path); the next run will enter them")
            } catch { console.warn("\(error); the ledger will not know how this run ended") }
        }
    }

    /// Tells everything to a new ledger, the old one having been deleted meanwhile.
    private func startOver(_ notes: [RunNote]) -> Bool {
        do {
            let ledger = try Ledger(path: ledger.path, access: .write)
            let id = try ledger.begin(start)
            for note in notes { try ledger.add(note, to: id) }
            console.warn("\(ledger.path): it was deleted during this run, which now stands in a new one")
            return true
        } catch { return false }
    }

    private func tell(_ notes: inout Notes) {
        while let note = notes.waiting.first {
            do {
                try ledger.add(note, to: id)
            } catch LedgerError.refused(let path, let detail) {
                // It would be refused for ever.
                console.warn("\(LedgerError.refused(path: path, detail: detail))")
            } catch {
                if notes.waiting.count == 1 { console.warn("\(error); continuing without it") }
                return
            }
            notes.told += 1
        }
    }
}
