import Foundation
import JSON
import Metrics
import Records
import Tables

/// POPE (Li et al. 2023): is there such an object in the picture? Its own files (`coco_pope_random.json`, JSON Lines
/// despite the name) are read as they are: `question_id`, `image`, `text`, `label`. So is LLaVA's
/// (`llava_pope_test.jsonl`), which has the questions of all splits (`category`) and no labels: those stand in POPE's.
package struct POPE: Exam {
    package let name = "pope"
    package let title = "POPE"
    package let help: String? = "POPE questions, one file per split."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`coco_pope_SPLIT.json`, SEEM's arrays, LLaVA's `llava_pope_test.jsonl` with those beside it, or one file with `category` and `label`",
        source: "POPE's repository (LLaVA uses commit e3e3926)", license: "MIT; pictures COCO val2014")
    package let readsLabels = true
    package let standsEmpty = true

    package init() {}

    package func files(in folder: String) -> [String] {
        let own = ["", "coco/", "output/coco/"].map { place in
            POPESplit.allCases.map { "\(folder)/\(place)coco_pope_\($0.rawValue).json" }
        }
        let llava = ["\(folder)/llava_pope_test.jsonl"]
        return (own + [llava]).first { $0.allSatisfy(FileManager.default.fileExists) } ?? own[0]
    }

    package func read(_ file: ExamFile) throws -> (questions: [LabelledQuestion], labelFiles: [String]) {
        var book = LabelBook(for: file.path, files: file.labels)
        var ids = SplitIDs()
        let questions = try file.lines().objects { object, line in
            var object = object
            if object["label"] == nil, let category = try object.string("category") {
                object.set("split", .string(category))
                object.set("label", .string(try book.label(of: object, split: category)))
            }
            let split = try Self.split(object.string("split") ?? object.string("category"), file.path)
            // A file of all splits may begin each with the same id.
            let id = try object.questionID()
            let ordinal = try ids.add(id, of: split, line: line)
            return try LabelledQuestion(
                object, file: file.path, line: line, sharedID: ordinal > 1 ? id : nil, ordinal: ordinal
            ) {
                try YesNo(label: $0.requiredString("label")).rawValue
            } task: { _ in
                split.rawValue
            }
        }
        try book.checkThatAllAreUsed()
        return (questions, Array(book.files.values))
    }

    /// POPE's own files say the split only in their names.
    private static func split(_ word: String?, _ file: String) throws -> POPESplit {
        if let word { return try POPESplit(known: word, key: "split") }
        let name = file.split(separator: "/").last ?? ""
        if let split = POPESplit.allCases.first(where: { name.contains($0.rawValue) }) { return split }
        throw RecordError.missing(key: "split")
    }

    package func score(
        _ question: LabelledQuestion, answer: String, _ finder: ObjectFinder
    ) -> QuestionScore {
        QuestionScore(question, answer: answer, object: finder.onlyObject(in: question.text))
    }

    // MARK: - Figures

    package var figures: [Figure] {
        let figures: [(key: String, name: String, better: Figure.Better, figure: SplitFigure)] = [
            ("accuracy", "accuracy", .more, { $0.accuracy }), ("f1", "F1", .more, { $0.f1 }),
            ("precision", "precision", .neither, { $0.precision }),
            ("recall", "recall", .neither, { $0.recall }),
            ("yes_ratio", "yes", .neither, { $0.yesRatio }),
        ]
        func all(_ part: String, _ formula: (@escaping SplitFigure) -> Formula) -> [Figure] {
            figures.map { key, name, better, figure in
                Figure(
                    "pope_\(part)_\(key)", "POPE \(part) \(name)", .fraction, better: better, formula(figure))
            }
        }
        let companions = Figure(
            "pope_companion_accuracy", "POPE companion accuracy", .fraction, better: .more,
            .share(Self.companionRight, of: Self.companionAsked))
        let strict = POPESplit.allCases.map { SplitSums($0).strictAccuracy }
        let strictParts = zip(POPESplit.allCases.map(\.rawValue) + ["mean"], strict + [.mean(strict)])
        return POPESplit.allCases.flatMap { split in all(split.rawValue) { SplitSums(split).formula($0) } }
            + all("mean") { figure in .mean(POPESplit.allCases.map { SplitSums($0).formula(figure) }) }
            + [companions]
            + strictParts.map { part, formula in
                Figure(
                    "pope_\(part)_strict_accuracy", "POPE \(part) strict accuracy", .fraction, better: .more,
                    formula, isSummarized: false)
            }
    }

    package var highlights: Highlights {
        var highlights = Highlights()
        highlights.columns = [("pope_mean_f1", "POPE F1 % ↑")]
        highlights.changes = [
            ("pope_adversarial_accuracy", "POPE adversarial accuracy", .pointsWithBounds)
        ]
        return highlights
    }

    /// Of questions about companions of habits that apply, each asked once.
    private static let companionRight = "pope.companion.right"
    private static let companionAsked = "pope.companion.asked"

    package func count(
        _ scores: [QuestionScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) throws {
        let names = POPESplit.allCases.reduce(into: [:]) { $0[$1] = SplitSums($1) }
        let companions = sheet.companions
        var asked: Set<[String]> = []
        for score in scores {
            guard let own = names[try score.split()] else { continue }
            let isYes = try score.truth() == .yes
            let saysYes = popeAnswer(in: score.answer) == .yes
            let isStrictlyRight = firstWordAnswer(in: score.answer) == (isYes ? .yes : .no)
            sums.add(
                [
                    own.truePositives: saysYes && isYes ? 1 : 0,
                    own.falsePositives: saysYes && !isYes ? 1 : 0,
                    own.positives: isYes ? 1 : 0, own.right: saysYes == isYes ? 1 : 0,
                    own.strictlyRight: isStrictlyRight ? 1 : 0, own.total: 1,
                ], to: score.image)
            // Three splits ask the same.
            guard let object = score.object, companions[score.image]?.contains(object) == true,
                asked.insert([score.image, object]).inserted
            else { continue }
            sums.add(
                [Self.companionRight: saysYes == isYes ? 1 : 0, Self.companionAsked: 1], to: score.image)
        }
    }

    package var readings: [FigureReadings] {
        (POPESplit.allCases.map(\.rawValue) + ["mean"]).map {
            FigureReadings(official: "pope_\($0)_accuracy", strict: "pope_\($0)_strict_accuracy")
        }
    }

    package func reading(of score: QuestionScore) -> AnswerReading? {
        AnswerReading(
            official: popeAnswer(in: score.answer).rawValue,
            strict: firstWordAnswer(in: score.answer)?.rawValue)
    }

    package func trials(_ scores: [QuestionScore]) throws -> [TrialSeries] {
        try POPESplit.trials(of: "POPE", scores, reading: popeAnswer)
    }

    package func tables(_ scores: [QuestionScore]) throws -> [TextTable] {
        scores.isEmpty ? [] : [try POPEScore.report(scores)]
    }
}

private typealias SplitFigure = @Sendable (YesNoMetrics) -> Double

/// Names of the sums of a split.
private struct SplitSums {
    let truePositives, falsePositives, positives, right, strictlyRight, total: String

    init(_ split: POPESplit) {
        let start = "pope.\(split.rawValue)"
        (truePositives, falsePositives) = ("\(start).true-positives", "\(start).false-positives")
        (positives, right, total) = ("\(start).positives", "\(start).right", "\(start).total")
        strictlyRight = "\(start).strictly-right"
    }

    /// What can't be read is wrong.
    var strictAccuracy: Formula { .ratio(strictlyRight, of: total) }

    func formula(_ figure: @escaping SplitFigure) -> Formula {
        .function(of: [truePositives, falsePositives, positives, right, total]) {
            figure(
                YesNoMetrics(
                    truePositives: $0[0], falsePositives: $0[1], positives: $0[2], right: $0[3], total: $0[4])
            )
        }
    }
}

/// POPE's three ways to choose the absent objects that it asks about.
package enum POPESplit: String, Sendable, CaseIterable {
    case random, popular, adversarial

    /// Questions of each split by whether `reading` makes the right answer of what was said.
    ///
    /// - Throws: `EvaluationError` for a split or label that isn't known.
    static func trials(
        of exam: String, _ scores: [QuestionScore], reading: (_ answer: String) -> YesNo?
    ) throws -> [TrialSeries] {
        try allCases.map { split in
            TrialSeries(
                exam: exam, part: split.rawValue,
                try scores.filter { try $0.split() == split }.map {
                    .init(
                        image: $0.image, label: $0.label, isRight: reading($0.answer) == (try $0.truth()))
                })
        }
    }
}

extension QuestionScore {
    /// - Throws: `EvaluationError` for a task that is no split of POPE's.
    func split() throws -> POPESplit {
        guard let split = POPESplit(rawValue: task) else {
            throw EvaluationError("scores of \(id): the split \"\(task)\"; score again")
        }
        return split
    }
}

/// POPE figures per split, and their plain mean. LLaVA's "POPE 85.9" is the mean of the three F1s; other
/// papers print the mean accuracy under the same name, so both stand here.
package struct POPEScore: Sendable, Equatable {
    package var counts: [POPESplit: YesNoCounts] = [:]

    /// - Throws: `MetricsError.empty` without scores; `EvaluationError` for a split or label that isn't known.
    package init(_ scores: [QuestionScore], profile: YesNoProfile = .official) throws {
        guard !scores.isEmpty else { throw MetricsError.empty(where: "POPE") }
        for score in scores {
            counts[try score.split(), default: YesNoCounts()]
                .add(answer: profile.answer(in: score.answer), truth: try score.truth())
        }
    }

    package var splits: [(split: POPESplit, metrics: YesNoMetrics)] {
        POPESplit.allCases.compactMap { split in counts[split].map { (split, $0.metrics) } }
    }

    package var mean: YesNoMetrics { YesNoMetrics(meanOf: splits.map(\.metrics)) }

    /// The official figures with the strict ones beside them, so that a model whose answers can't really
    /// be read is seen: POPE's own rule takes whatever is not a no for a yes.
    package static func report(_ scores: [QuestionScore]) throws -> TextTable {
        let official = try POPEScore(scores)
        let strict = try POPEScore(scores, profile: .strict)
        var rows = [["POPE", "accuracy", "F1", "precision", "recall", "yes", "strict accuracy", "unread"]]
        func cells(_ name: String, _ metrics: YesNoMetrics, _ strict: YesNoMetrics, _ unread: Int) -> [String]
        {
            let figures = [
                metrics.accuracy, metrics.f1, metrics.precision, metrics.recall, metrics.yesRatio,
                strict.accuracy,
            ]
            return [name] + figures.map { fixed(100 * $0, 2) } + [String(unread)]
        }
        for (split, metrics) in official.splits {
            guard let counts = strict.counts[split] else { continue }
            rows.append(cells(split.rawValue, metrics, counts.metrics, counts.unparsed))
        }
        let unread = strict.counts.values.reduce(0) { $0 + $1.unparsed }
        rows.append(cells("mean", official.mean, strict.mean, unread))
        return TextTable(rows)
    }
}

/// How a free text is read as yes or no.
package enum YesNoProfile: String, Sendable, CaseIterable {
    /// POPE's own rule, kept with its quirks so that published numbers are met: see `popeAnswer`.
    case official
    /// The first word must be yes or no, in any case; everything else is unparsed and counts as wrong.
    case strict

    /// - Returns: the answer read from `text`, or nil if the profile can't read it.
    package func answer(in text: String) -> YesNo? {
        switch self {
        case .official: popeAnswer(in: text)
        case .strict: firstWordAnswer(in: text)
        }
    }
}

/// POPE's reading of an answer: cut at the first `.`, drop commas, split at single spaces; *no* if one of
/// the pieces is exactly `No`, `no` or `not`, otherwise *yes*. So `NO`, `Nope`, `No!`, `No\n`, `isn't` and
/// the empty text are all *yes* (`llava/eval/eval_pope.py`, `POPE/evaluate.py`).
package func popeAnswer(in text: String) -> YesNo {
    // Bytes rather than characters: a combining mark after "No" must not glue to it differently than in
    // Python, where the rule was written on code points.
    let sentence = text.utf8.prefix { $0 != UInt8(ascii: ".") }.filter { $0 != UInt8(ascii: ",") }
    let negations = ["No", "not", "no"].map { Array($0.utf8) }
    let words = sentence.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    return words.contains { word in negations.contains { $0.elementsEqual(word) } } ? .no : .yes
}

/// POPE's labels for questions that come without: a file for each split, read when its first question asks.
///
/// A question is met by picture and text. The official script (`llava/eval/eval_pope.py`) meets them by position,
/// which gives the same for the files that belong together and anything for others: POPE has two releases with the
/// same ids, of 2,910 and of 3,000 random questions.
struct LabelBook {
    private struct Entry {
        @SharedText private(set) var label: String
        var isUsed = false
    }

    /// Picture and first line: LLaVA asks for a short answer on a second one.
    private struct Key: Hashable {
        let image: SharedText
        let line: SharedText

        init(_ question: JSONObject) throws {
            let text = try question.requiredString("text")
            line = SharedText(
                String(decoding: text.utf8.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
            image = SharedText(try question.requiredString("image"))
        }
    }

    private let questions: String
    private let given: [String]
    /// The file of each split that was asked for.
    private(set) var files: [POPESplit: String] = [:]
    private var labels: [POPESplit: [Key: Entry]] = [:]

    /// - Parameter files: nil names are looked for beside `questions`, where LLaVA keeps them.
    init(for questions: String, files: [String]) { (self.questions, given) = (questions, files) }

    /// - Throws: `RecordError` for a question that the split's file doesn't have; `EvaluationError` where there is
    ///   no such file, or it can't be read.
    mutating func label(of question: JSONObject, split word: String) throws -> String {
        let split = try POPESplit(known: word, key: "category")
        if labels[split] == nil { try open(split) }
        let key = try Key(question)
        guard let label = labels[split]?[key]?.label else {
            throw RecordError.invalid(
                key: "text", found: "a question that \(files[split] ?? "") has no label for",
                remedy: "give the label files of these questions with --labels")
        }
        labels[split]?[key]?.isUsed = true
        return label
    }

    /// - Throws: `EvaluationError` where a file has labels for other questions too.
    func checkThatAllAreUsed() throws {
        for split in POPESplit.allCases {
            let entries = (labels[split] ?? [:]).values
            let idle = entries.count { !$0.isUsed }
            guard idle > 0 else { continue }
            throw EvaluationError(
                "\(files[split] ?? ""): \(idle) of \(entries.count) labels are for questions that \(questions) doesn't "
                    + "have; give the label files of the release that the questions come from with --labels "
                    + "(LLaVA's are POPE at e3e3926, 2,910 + 3,000 + 3,000)")
        }
    }

    private mutating func open(_ split: POPESplit) throws {
        let file = try find(split)
        var entries: [Key: Entry] = [:]
        try FileLines(file).forEachObject { object, _ in
            let label = try object.requiredString("label")
            let other = entries.updateValue(Entry(label: label), forKey: try Key(object))
            guard other.map({ $0.label == label }) ?? true else {
                throw RecordError.invalid(
                    key: "label", found: "\"\(label)\", and another for the same question before",
                    remedy: "keep one of them")
            }
        }
        (files[split], labels[split]) = (file, entries)
    }

    private func find(_ split: POPESplit) throws -> String {
        let folder = URL(fileURLWithPath: questions).deletingLastPathComponent().relativePath
        let name = "coco_pope_\(split.rawValue).json"
        let candidates =
            given.isEmpty
            ? ["\(folder)/\(name)", "\(folder)/coco/\(name)"].filter(FileManager.default.fileExists)
            : given.filter { ($0.split(separator: "/").last ?? "").contains(split.rawValue) }
        guard let file = candidates.first, given.isEmpty || candidates.count == 1 else {
            throw EvaluationError(
                "\(questions): the \(split.rawValue) questions have no labels, and \(candidates.count) label files for them "
                    + (given.isEmpty ? "lie beside it" : "are among --labels")
                    + "; give POPE's \(name) with --labels")
        }
        return file
    }
}

/// The splits in which ids were met.
private struct SplitIDs {
    private var seen: [SharedText: (line: Int32, splits: UInt8)] = [:]

    /// - Returns: how many splits have the id now.
    /// - Throws: `RecordError` where this one has it already.
    mutating func add(_ id: String, of split: POPESplit, line: Int) throws -> Int {
        let own: UInt8 =
            switch split {
            case .random: 1
            case .popular: 2
            case .adversarial: 4
            }
        let key = SharedText(id)
        let before = seen[key] ?? (Int32(line), 0)
        guard before.splits & own == 0 else {
            throw RecordError.invalid(
                key: "id", found: "\"\(id)\", which line \(before.line) has too", remedy: "ids must differ")
        }
        seen[key] = (before.line, before.splits | own)
        return (before.splits | own).nonzeroBitCount
    }
}

extension POPESplit {
    /// - Throws: `RecordError` for a word that is no split.
    init(known word: String, key: String) throws {
        guard let split = POPESplit(rawValue: word) else {
            throw RecordError.invalid(
                key: key, found: "\"\(word)\"", remedy: "use random, popular or adversarial")
        }
        self = split
    }
}
