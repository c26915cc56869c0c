import Files
import Foundation
import RunLedger

/// What could not be told to a ledger: a line of JSON in the file `OUTPUT.ledger-rows`.
package struct WaitingRows: Codable {
    private static let suffix = ".ledger-rows"

    /// Full path of the ledger.
    private let waitingForLedger: String
    /// Of the run that the notes are of; nil for those that are of none.
    private let run: Int64?
    private let process: ProcessIdentity
    private let notes: [RunNote]

    package init(ledger: String, run: Int64? = nil, _ notes: [RunNote]) {
        waitingForLedger = OutputPlace.real(ledger)
        process = .current
        (self.run, self.notes) = (run, notes)
    }

    /// Adds the line to the file beside the first of `places` where that can be done: none that is a stream.
    /// - Returns: the path of the file.
    /// - Throws: why it can't be done beside the last.
    package func write(beside places: [String]) throws -> String {
        var failure: any Error = StageError.failed("\(waitingForLedger): no place for its waiting rows")
        for place in places where !StageRun.isStream(place) {
            do {
                let file = OutputPlace.withoutSlash(place) + Self.suffix
                let old = FileManager.default.contents(atPath: file) ?? Data()
                _ = try Self.read(old)
                try AtomicFile.write(old + line, to: file)
                return file
            } catch { failure = error }
        }
        throw failure
    }

    // A figure may be no number.
    private static let names = (positive: "inf", negative: "-inf", nan: "nan")

    private var line: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: Self.names.positive, negativeInfinity: Self.names.negative,
                nan: Self.names.nan)
            return try encoder.encode(self) + [UInt8(ascii: "\n")]
        }
    }

    private static func read(_ bytes: Data) throws -> [WaitingRows] {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: names.positive, negativeInfinity: names.negative, nan: names.nan)
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(Self.self, from: $0) }
    }

    /// Brings into `ledger` what waits for it in files in the folders of `places`, and here.
    /// - Throws: `LedgerError`, `FileError`; what isn't brought in stays where it is.
    package static func bringIn(to ledger: Ledger, beside places: [String], _ console: Console) throws {
        let folders = Set(places.map { OutputPlace.folder(of: OutputPlace.withoutSlash($0)) } + ["."])
        for folder in folders.sorted() {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names.sorted() where name.hasSuffix(suffix) {
                let file = "\(folder)/\(name)"
                // Somebody else's file of such a name is left alone.
                guard let bytes = FileManager.default.contents(atPath: file), let rows = try? read(bytes)
                else { continue }
                try bringIn(rows, of: file, to: ledger, console)
            }
        }
    }

    private static func bringIn(
        _ rows: [WaitingRows], of file: String, to ledger: Ledger, _ console: Console
    ) throws {
        let path = OutputPlace.real(ledger.path)
        let others = rows.filter { $0.waitingForLedger != path }
        guard others.count < rows.count else { return }
        for row in rows where row.waitingForLedger == path {
            if try ledger.bringIn(row.notes, of: row.run, by: row.process) { continue }
            console.warn("\(file): the ledger has no run \(row.run ?? 0) of that process; left out")
        }
        if others.isEmpty {
            unlink(file)
        } else {
            try AtomicFile.write(try others.map { try $0.line }.joined(), to: file)
        }
        console.say("\(file): the rows that waited there are in the ledger now")
    }
}
