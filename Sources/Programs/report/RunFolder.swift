import Exams
import Foundation
import Imaging
import JSON
import Records
import Report
import StageKit
import Tables

/// The files of a run, read for its page.
struct RunFolder {
    private let path: String
    private let pictures: Int
    /// Where the pictures of rounds and of evaluations lie; nil where the run says it itself.
    private let imageRoot: String?
    private let testImageRoot: String?
    private let finder: ObjectFinder
    /// `round-1`, `round-2`, … as far as they are there.
    private let rounds: [String]

    /// - Throws: `StageError` for a folder that holds no part of a run.
    init(
        _ path: String, pictures: Int, imageRoot: String?, testImageRoot: String?, synonyms: String?
    ) throws {
        (self.path, self.pictures) = (path, pictures)
        (self.imageRoot, self.testImageRoot) = (imageRoot, testImageRoot)
        finder = try synonyms.map { try ObjectFinder(synonyms: $0) } ?? ObjectFinder()
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            throw StageError.failed("\(path): no folder that can be read; name the folder of a run")
        }
        rounds = names.compactMap { name -> (Int, String)? in
            guard name.hasPrefix("round-"), let round = Int(name.dropFirst(6)) else { return nil }
            return (round, name)
        }.sorted { $0.0 < $1.0 }.map(\.1)
        guard !rounds.isEmpty || names.contains("base") else {
            throw StageError.failed("\(path): neither base nor round-1 in it; name the folder of a run")
        }
    }

    func report(_ run: StageRun) throws -> RunReport {
        let sheets = try (["base"] + rounds).compactMap { name -> (name: String, sheet: ScoreSheet)? in
            let folder = "\(path)/\(name)"
            return exists("\(folder)/eval/\(ScoreSheet.fileName)")
                ? (name, try ScoreSheet(folder: folder)) : nil
        }
        let name = URL(fileURLWithPath: path).lastPathComponent
        let comparison = try comparison("comparison.json")
        return RunReport(
            name: name, facts: try facts(sheets), table: try comparison.map(Self.table) ?? table(sheets),
            habits: comparison?.habitTable.map {
                ReportTable(rows: $0.rows, legend: HabitComparison.legend)
            }, controls: try self.comparison("controls/comparison.json").map(Self.table),
            captions: try captions(sheets), rounds: try rounds.map { try round($0, run) })
    }

    private func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: file) }

    private func facts(
        _ sheets: [(name: String, sheet: ScoreSheet)]
    ) throws -> [(name: String, value: String)] {
        var facts = [(name: "rounds", value: String(rounds.count))]
        if let sheet = sheets.first?.sheet {
            let asked = try sheet.summary().values[ExamList.images] ?? 0
            facts.append((name: "test pictures", value: String(Int(asked))))
            if let model = sheet.model { facts.append((name: "base", value: String(model.prefix(12)))) }
        }
        return facts
    }

    /// The intervals that `eval compare` left.
    private func comparison(_ name: String) throws -> ComparisonTable? {
        let file = "\(path)/\(name)"
        guard exists(file) else { return nil }
        do {
            return try JSONDecoder().decode(
                ComparisonTable.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
        } catch is DecodingError {
            throw StageError.failed("\(file): no comparison; let eval compare write it again")
        }
    }

    private static func table(_ comparison: ComparisonTable) -> ReportTable {
        ReportTable(rows: comparison.table.rows, legend: comparison.legend)
    }

    /// The figures alone.
    private func table(_ sheets: [(name: String, sheet: ScoreSheet)]) throws -> ReportTable? {
        guard !sheets.isEmpty else { return nil }
        let summaries = try sheets.map { try $0.sheet.summary().values }
        let figures = ExamList.all.summarized.filter { figure in
            summaries.contains { $0[figure.key] != nil }
        }
        let rows = figures.map { figure in
            [figure.title] + summaries.map { $0[figure.key].map { fixed(figure.scale * $0, 1) } ?? "" }
        }
        return ReportTable(rows: [[""] + sheets.map(\.name)] + rows)
    }

    // MARK: - Rounds

    private func round(_ name: String, _ run: StageRun) throws -> RoundReport {
        let folder = "\(path)/\(name)"
        let metrics = "\(folder)/adapter/metrics.jsonl"
        let records = ["scored.jsonl", "candidates.jsonl"].map { "\(folder)/\($0)" }.first(where: exists)
        return RoundReport(
            name: name,
            metrics: exists(metrics)
                ? try TrainingMetrics(jsonLines: EvaluationError.reading(metrics), file: metrics) : nil,
            notes: try audit("\(folder)/audit.json"),
            pictures: try records.map {
                try pictures(of: $0, pairs: "\(folder)/pairs.jsonl", in: imageRoot ?? ownRoot(name), run)
            } ?? [])
    }

    /// Where the run's graph has the pictures of `part`, a round or the test: drawn by it, or under its IMAGES.
    private func ownRoot(_ part: String) throws -> String {
        // A control shares the pictures of its run.
        let run = path.components(separatedBy: "/controls/")[0]
        let drawn = "\(run)/scenes/\(part)"
        if exists(drawn) { return drawn }
        let settings = "\(run)/settings"
        guard exists(settings) else { return "." }
        let lines = String(decoding: try EvaluationError.reading(settings), as: UTF8.self).split(
            separator: "\n")
        guard let images = lines.first(where: { $0.hasPrefix("IMAGES=") })?.dropFirst(7) else { return "." }
        // Told from the folder in which `runs` lies.
        let places = [String(images), "\(run)/../../\(images)"]
        return places.first(where: exists) ?? String(images)
    }

    private func audit(_ file: String) throws -> String {
        guard exists(file) else { return "" }
        let object: JSONObject
        do { object = try JSONObject(parsing: ArraySlice(EvaluationError.reading(file))) } catch {
            throw StageError.failed("\(file): \(error)")
        }
        let rows = object.keys.compactMap { key -> [String]? in
            guard let value = object[key] else { return nil }
            let text: String
            switch value {
            case .number(let number): text = number.double.map(Self.shown) ?? number.raw
            case .string(let words): text = words
            default: text = value.text
            }
            return [key.replacing("_", with: " "), text]
        }
        return String(TextTable(rows, right: []).plainText.dropLast())
    }

    private static func shown(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? String(format: "%.3f", value)
    }

    private func pictures(
        of file: String, pairs: String, in root: String, _ run: StageRun
    ) throws -> [PictureReport] {
        let records = try run.records(paths: [file]).map(\.record)
        let all = exists(pairs) ? try run.records(paths: [pairs]).map(\.record) : []
        let read = try all.map { try PreferencePair($0) }
        let ids = Set(try records.map { try $0.requiredID() })
        let byRecord = Dictionary(grouping: read) { Self.record(of: $0.id, ids) }
        let order = PictureChoice.spread(
            try records.map { ($0, byRecord[try $0.requiredID()] ?? []) }, count: pictures)
        return try order.map { record, pairs in
            let known = try KnownPicture.isKnown(record) ? KnownPicture(record, finder) : nil
            return try PictureReport(
                record: record, pairs: pairs, image: try picture(record.picture(), root),
                truth: known?.truth
            ) { _, text in known.map { Self.judgement(of: text, $0, finder) } }
        }
    }

    /// `id#2` is a second pair of the record `id`.
    private static func record(of pair: String, _ ids: Set<String>) -> String {
        guard !ids.contains(pair), let sign = pair.lastIndex(of: "#") else { return pair }
        return String(pair[..<sign])
    }

    private static func judgement(
        of text: String, _ known: KnownPicture, _ finder: ObjectFinder
    ) -> TextJudgement {
        let remarks = known.remarks(on: text, finder)
        return TextJudgement(invented: remarks.invented, note: remarks.note)
    }

    private func picture(_ image: String?, _ root: String) throws -> EmbeddedImage? {
        guard let image else { return nil }
        let file = try resolveImage(image, root: root)
        let bytes = try readImage(at: file)
        return EmbeddedImage(bytes: bytes, mediaType: try ImageFormat(bytes, name: image).mediaType)
    }

    // MARK: - Captions

    /// The same pictures as each model describes them: those where base and last round differ.
    private func captions(_ sheets: [(name: String, sheet: ScoreSheet)]) throws -> [CaptionReport] {
        guard let base = sheets.first, let last = sheets.last, sheets.count > 1 else { return [] }
        let versions = sheets.map { named in
            (
                name: named.name,
                captions: Dictionary(
                    named.sheet.captions.map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
            )
        }
        let after = Dictionary(last.sheet.captions.map { ($0.id, $0.text) }, uniquingKeysWith: { a, _ in a })
        let changed = base.sheet.captions.filter { after[$0.id] != nil && after[$0.id] != $0.text }
        return try PictureChoice.evenly(changed, count: pictures).map { caption in
            CaptionReport(
                id: caption.id, image: try picture(caption.image, testImageRoot ?? ownRoot("test")),
                truth: caption.objects.joined(separator: ", "),
                versions: versions.compactMap { version in
                    version.captions[caption.id].map {
                        .init(name: version.name, text: $0.text, judgement: $0.remark)
                    }
                })
        }
    }
}

extension CaptionScore {
    fileprivate var remark: TextJudgement {
        let truth = Set(objects)
        let words = mentions.filter { !truth.contains($0.object) }.map(\.word)
        let named = truth.intersection(mentions.map(\.object)).count
        var note = "names \(named) of \(objects.count) objects"
        if !words.isEmpty { note += ", \(words.count) invented" }
        if let coloursNamed, let coloursRight, coloursRight < coloursNamed {
            note += ", \(coloursNamed - coloursRight) wrong in color"
        }
        return TextJudgement(invented: words, note: note)
    }
}
