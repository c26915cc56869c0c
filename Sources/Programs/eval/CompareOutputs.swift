import Exams
import Files
import Foundation
import Metrics
import Report
import StageKit

extension CompareScores {
    /// The files that a comparison is written to.
    struct Outputs {
        private let summary: String?
        private let plot: String?
        private let report: String?

        /// - Throws: `StageError` where two of them are one, or where something stands that no comparison wrote: what
        ///   it reads, for one.
        init(_ summary: String?, plot: String?, report: String?) throws {
            (self.summary, self.plot, self.report) = (summary, plot, report)
            let files = try ([summary, plot, report].compactMap { $0 }).compactMap(Self.file) + tables
            let places = files.map(OutputPlace.real)
            if let twice = places.indices.first(where: { places[..<$0].contains(places[$0]) }) {
                throw StageError.usage(
                    "\(files[twice]): two outputs would go there; give each a name of its own")
            }
            try summary.map {
                try Self.check($0) { _ = try SummaryFile(json: $0, file: "") }
            }
            try plot.map {
                try Self.check($0) { guard $0.starts(with: Data("<svg".utf8)) else { throw Stranger() } }
            }
            try report.map {
                try Self.check($0) { guard ComparisonReport.isPage($0) else { throw Stranger() } }
            }
            guard let table = tables.first else { return }
            // Both are known by the first.
            func isOwn(_ data: Data) throws { _ = try JSONDecoder().decode(ComparisonTable.self, from: data) }
            try Self.check(table, isOwn)
            let isKnown = FileManager.default.fileExists(atPath: table)
            try Self.check(tables[1]) { _ in if !isKnown { throw Stranger() } }
        }

        private struct Stranger: Error {}

        /// Where it isn't a device or a pipe.
        private static func file(_ path: String) throws -> String? {
            if case .file(let file) = try OutputPlace(path) { file } else { nil }
        }

        private static func check(_ path: String, _ isOwn: (Data) throws -> Void) throws {
            guard let file = try file(path), let data = FileManager.default.contents(atPath: file) else {
                return
            }
            do { try isOwn(data) } catch {
                throw StageError.failed(
                    "\(path): eval compare didn't write it, and would erase it; move it away or name another output"
                )
            }
        }

        private var folder: String {
            URL(fileURLWithPath: summary ?? "").deletingLastPathComponent().path
        }

        /// They lie beside the summary; nothing lies beside a device.
        private var tables: [String] {
            guard let summary, (try? Self.file(summary)) != nil else { return [] }
            return ["json", "md"].map { "\(folder)/comparison.\($0)" }
        }

        func write(
            _ table: ComparisonTable, _ summaries: String, _ lines: [String], _ run: StageRun
        ) throws {
            if let summary {
                do {
                    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                } catch {
                    throw StageError.failed(
                        "\(folder): it can't be created (\(error.localizedDescription)); choose another place"
                    )
                }
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
                let markdown = table.markdown + lines.map { "\n" + $0 + "\n" }.joined()
                let contents = [Array(try encoder.encode(table) + Data("\n".utf8)), Array(markdown.utf8)]
                for (file, bytes) in zip(tables, contents) { try run.write(bytes, to: file) }
                try run.write(summaries.utf8, to: summary)
            }
            if let plot { try run.write(Self.chart(table).svg.utf8, to: plot, role: "plot") }
        }

        func write(_ page: ComparisonReport, _ run: StageRun) throws {
            guard let report else { return }
            let html = page.html()
            try run.write(html.utf8, to: report, role: "report")
            run.console.say("\(report): \(html.utf8.count >> 10) KiB")
        }

        /// Hallucination beside what it may be bought with, recall and length, and whether looking won it.
        private static func chart(_ table: ComparisonTable) -> IntervalChart {
            IntervalChart(
                rows: table.labels,
                figures: table.plotted.map { figure, row in
                    IntervalChart.Figure(
                        title: figure.title,
                        values: row.values.map {
                            .init(
                                estimate: figure.scale * $0.estimate, lower: figure.scale * $0.lower,
                                upper: figure.scale * $0.upper)
                        })
                })
        }
    }
}
