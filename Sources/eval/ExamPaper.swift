import Evaluating
import Files
import Foundation
import Records
import StageKit

/// Who answers: a model, or files of answers that one gave.
enum Respondent {
    case model(Examinee)
    case files([String])
}

/// Everything that is asked: captions, and files of yes/no questions.
struct ExamPaper {
    private struct Questions {
        let path: String
        let benchmark: Question.Benchmark
        var all: [Question]
        /// Of all questions of the file, those too that --limit leaves out.
        let ids: Set<String>
    }

    private let captionFile: String?
    private var pictures: [(known: KnownPicture, place: String)] = []
    private let captionIDs: Set<String>
    private var questionFiles: [Questions] = []
    private let finder: ObjectFinder

    init(_ options: Eval, _ run: StageRun) throws {
        finder = try options.synonyms.map { try ObjectFinder(synonyms: $0) } ?? ObjectFinder()
        captionFile = options.captions
        if let path = options.captions { pictures = try run.knownPictures(path, finder) }
        captionIDs = Set(pictures.map(\.known.id))
        let files: [(String, Question.Benchmark)] =
            options.pope.map { ($0, .pope) } + options.mme.map { ($0, .mme) }
        var hasLabelFiles = false
        questionFiles = try files.map { path, benchmark in
            run.addInput(try Digest.artefact(path, kind: .records))
            let file = try QuestionFile(
                benchmark, path: path, labels: options.labels, root: options.images.imageRoot)
            for labels in file.labelFiles {
                run.addInput(try Digest.artefact(labels, kind: .records), role: "labels")
                run.console.say("labels of \(path) are those of \(labels)")
            }
            hasLabelFiles = hasLabelFiles || !file.labelFiles.isEmpty
            return Questions(
                path: path, benchmark: benchmark, all: file.questions,
                ids: Set(file.questions.flatMap { [$0.id, $0.sharedID ?? $0.id] }))
        }
        if !options.labels.isEmpty, !hasLabelFiles {
            throw StageError.usage("--labels: all questions have labels of their own; leave it out")
        }
        let count = questionFiles.reduce(0) { $0 + $1.all.count }
        run.count(read: count)
        // No question is without.
        run.countPictures(count, of: count)
        if let limit = options.limit { keep(pictures: limit) }
    }

    /// Leaves the first pictures, in the order in which the files name them.
    private mutating func keep(pictures limit: Int) {
        var images: Set<String> = []
        for image in pictures.map(\.known.image) + questionFiles.flatMap({ $0.all.map(\.image) })
        where images.count < limit { images.insert(image) }
        pictures.removeAll { !images.contains($0.known.image) }
        for index in questionFiles.indices {
            questionFiles[index].all.removeAll { !images.contains($0.image) }
        }
    }

    var description: String {
        let questions = questionFiles.reduce(0) { $0 + $1.all.count }
        return "\(pictures.count) captions and \(questions) questions"
    }

    /// Has everything answered and writes the answers to `folder`.
    func answer(by respondent: Respondent, _ options: Eval, _ run: StageRun, folder: String) throws
        -> ScoreSheet
    {
        let answers = "\(folder)/answers"
        try FileManager.default.createDirectory(atPath: answers, withIntermediateDirectories: true)
        let texts: (captions: [String], questions: [[String]])
        switch respondent {
        case .model(let examinee): texts = try asked(examinee, options, run)
        case .files(let places): texts = try read(places, run)
        }
        let scores = zip(pictures, texts.captions).map { $0.known.score($1, finder) }
        if let captionFile {
            try AtomicFile.write(
                AnswerFile.lines(captions: pictures.map(\.known), texts.captions),
                to: "\(answers)/\(AnswerFile.fileName(captionFile))")
        }
        run.count(written: texts.questions.reduce(texts.captions.count) { $0 + $1.count })
        var (pope, mme): ([QuestionScore], [QuestionScore]) = ([], [])
        for (file, texts) in zip(questionFiles, texts.questions) {
            let lines = AnswerFile.lines(
                zip(file.all, texts).map { .init(id: $0.id, image: $0.image, prompt: $0.text, text: $1) })
            try AtomicFile.write(lines, to: "\(answers)/\(AnswerFile.fileName(file.path))")
            let scored = zip(file.all, texts).map { QuestionScore($0, answer: $1, finder) }
            switch file.benchmark {
            case .pope: pope += scored
            case .mme: mme += scored
            }
        }
        var sheet = ScoreSheet(model: nil, seconds: 0, captions: scores, pope: pope, mme: mme)
        if case .model(let examinee) = respondent {
            sheet.model = examinee.model.digest
            if options.habit { sheet.habit = try habit(scores, examinee, options, run) }
        }
        return sheet
    }

    /// All at once, so that a picture is gone into once for everything asked about it.
    private func asked(
        _ examinee: Examinee, _ options: Eval, _ run: StageRun
    ) throws -> (captions: [String], questions: [[String]]) {
        let captions = pictures.map {
            Examinee.Request(
                place: $0.place, image: $0.known.image, prompt: $0.known.prompt,
                maxTokens: options.captionTokens)
        }
        let questions = questionFiles.flatMap(\.all).map {
            options.asking.request($0.text, image: $0.image, place: $0.place)
        }
        var texts = try examinee.answer(captions + questions, run)[...]
        func take(_ count: Int) -> [String] {
            defer { texts = texts.dropFirst(count) }
            return Array(texts.prefix(count))
        }
        return (take(captions.count), questionFiles.map { take($0.all.count) })
    }

    private func read(
        _ places: [String], _ run: StageRun
    ) throws -> (captions: [String], questions: [[String]]) {
        var unnamed: [String: Int] = [:]
        // One file may hold the answers to all.
        let all = questionFiles.reduce(captionIDs) { $0.union($1.ids) }
        func texts(_ asked: [Asked], _ questions: String, _ ids: Set<String>) throws -> [String] {
            let file = try AnswerFile.find(for: questions, in: places)
            let isShared = places == [file.path]
            let found = try file.texts(of: asked, in: questions, known: isShared ? all : ids)
            unnamed[file.path, default: 0] += found.unnamed
            return found.texts
        }
        let captions = try captionFile.map { try texts(pictures.map(\.known.asked), $0, captionIDs) }
        let questions = try questionFiles.map { try texts($0.all.map(\.asked), $0.path, $0.ids) }
        for (file, count) in unnamed.sorted(by: { $0.key < $1.key }) where count > 0 {
            run.console.warn(
                "\(file): \(count) answers don't say what they were asked, and are taken by their ids")
        }
        return (captions ?? [], questions)
    }

    private func habit(
        _ captions: [CaptionScore], _ examinee: Examinee, _ options: Eval, _ run: StageRun
    ) throws -> [HabitScore] {
        let asked = captions.flatMap { caption in caption.invented.map { (image: caption.image, object: $0) }
        }
        let answers = try examinee.answer(
            asked.map {
                options.asking.request(
                    HabitScore.question($0.object), image: $0.image, place: "habit question on \($0.image)")
            }, run)
        return zip(asked, answers).map { HabitScore(image: $0.image, object: $0.object, answer: $1) }
    }
}

extension StageRun {
    /// The pictures of a file of prompts, each with its place for messages.
    func knownPictures(_ file: String, _ finder: ObjectFinder) throws -> [(
        known: KnownPicture, place: String
    )] {
        try records(paths: [file]).map { input in
            do { return (try KnownPicture(input.record, finder), input.place) } catch {
                throw StageError.failed("\(input.place): \(error)")
            }
        }
    }
}
