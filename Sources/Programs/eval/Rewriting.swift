import Exams
import Files
import Foundation
import StageKit

/// Captions that were scored, to be said otherwise. Answers to questions stay as they are.
struct Rewriting {
    let pictures: [KnownPicture]
    /// What was said of each.
    let texts: [String]
    /// All that was scored of it.
    let base: ScoreSheet
    private let finder: ObjectFinder
    private let file: String
    private let folder: String

    /// - Parameters:
    ///   - file: prompts, with scene or facts of the kind object.
    ///   - folder: what eval wrote of them.
    /// - Throws: `StageError.failed` where the folder was scored on other pictures or captions than it holds.
    init(_ file: String, by folder: String, _ finder: ObjectFinder, _ run: StageRun) throws {
        let answers = try AnswerFile.find(for: file, in: ["\(ScoreSheet.place(of: folder))/answers"])
        pictures = try run.knownPictures(file, finder)
        texts = try answers.texts(
            of: pictures.lazy.map(\.asked), in: file, isKnown: Set(pictures.map(\.id)).contains
        ).texts
        base = try ScoreSheet(folder: folder)
        (self.finder, self.file, self.folder) = (finder, file, folder)
        let told = zip(pictures, texts).map { $0.score($1, finder) }
        guard sheet(told, nil, seconds: 0).asksTheSame(as: base) else {
            throw StageError.failed(
                "\(folder): it was scored on other scenes or habits than those of \(file); let eval score its "
                    + "answers on that file")
        }
        guard told.map(\.text) == base.captions.map(\.text) else {
            throw StageError.failed(
                "\(folder): its scores and answers don't match; let eval score the answers")
        }
    }

    private func sheet(_ captions: [CaptionScore], _ model: String?, seconds: Double) -> ScoreSheet {
        var sheet = base
        (sheet.model, sheet.seconds, sheet.logitBias) = (model, seconds, nil)
        sheet[Captions()] = captions
        sheet.forget(OwnInventions())
        return sheet
    }

    /// What is written replaces the folder, so none of what is read may lie in it, nor it in an evaluation.
    ///
    /// - Throws: `StageError` (usage), naming both.
    static func check(output: String, reading names: [String]) throws {
        let target = OutputPlace.real(output)
        for name in names {
            let read = OutputPlace.real(name)
            guard read == target || read.hasPrefix(target + "/") || target.hasPrefix(read + "/") else {
                continue
            }
            throw StageError.usage(
                "-o \(output): it would replace or change \(name), which is an input; give another folder")
        }
    }

    /// Scores other captions in the place of those that were said, and writes them as eval does.
    ///
    /// - Parameters:
    ///   - captions: one per picture.
    ///   - files: what else to write, by name.
    func write(
        _ captions: [String], _ files: [String: [UInt8]] = [:], model: String? = nil,
        since began: ContinuousClock.Instant, to target: AtomicFolder, _ output: String, _ run: StageRun
    ) throws {
        let scores = zip(pictures, captions).map { $0.score($1, finder) }
        let sheet = sheet(scores, model, seconds: began.duration(to: .now) / .seconds(1))
        let place = try target.prepare(keeping: false)
        let (from, to) = ("\(ScoreSheet.place(of: folder))/answers", "\(place)/answers")
        try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
        let own = AnswerFile.fileName(file)
        for name in try FileManager.default.contentsOfDirectory(atPath: from).sorted() where name != own {
            try FileManager.default.copyItem(atPath: "\(from)/\(name)", toPath: "\(to)/\(name)")
        }
        try AnswerFile.write(
            zip(pictures, captions).lazy.map { AnswerFile.Answer($0.asked, text: $1) }, to: "\(to)/\(own)")
        try sheet.write(to: "\(place)/\(ScoreSheet.fileName)")
        for (name, bytes) in files { try AtomicFile.write(bytes, to: "\(place)/\(name)") }
        try target.publish()
        try run.addOutput(output, kind: .file)
        try run.addMetrics(of: sheet)
        run.count(written: captions.count)
    }
}

extension StageRun {
    func addMetrics(of sheet: ScoreSheet) throws {
        for (figure, value) in try sheet.figures() where figure.isSummarized { addMetric(figure.key, value) }
    }

    /// The pictures of a file of prompts.
    func knownPictures(_ file: String, _ finder: ObjectFinder) throws -> [KnownPicture] {
        try records(paths: [file]).map { input in
            do { return try KnownPicture(input.record, finder) } catch {
                throw StageError.failed("\(input.place): \(error)")
            }
        }
    }
}
