import English
import JSON
import Metrics
import Records

/// Object HalBench (Rohrbach et al.'s CHAIR on 300 pictures of COCO, as RLHF-V asks about them), by the rule that its script
/// has for captions without a judge (`eval_gpt_obj_halbench.py` without `--use_gpt`, `RLHF-V/RLHF-V` at 3d35a91): each word's
/// lemma as a noun is looked up among the synonyms of COCO's objects. Published figures are with `--use_gpt`, for which a
/// retired judge names the objects and spaCy their lemmas; the figures here are called `rule` and can't be held against them.
///
/// A line of questions is RLHF-V's (`obj_halbench_300_with_image.jsonl`): `image_id`, `question`, and the picture in base64
/// under `image`, or its path. What is in the pictures comes from COCO's own files, as for `CHAIR`.
package struct ObjectHalBench: Exam {
    package let name = "object-halbench"
    package let title = "Object HalBench"
    package let help: String? = "Object HalBench's questions, with --labels for COCO's files."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`obj_halbench_300_with_image.jsonl`; COCO's four files of 2014 as for `chair`",
        source: "RLHF-V's repository; COCO's site", license: "CC BY-NC 4.0; CC BY 4.0")
    package let readsLabels = true
    package let takesSeveralFiles = false
    package let answers = AnswerLength.caption
    package let layouts = [
        AnswerLayout(id: "image_id", text: "answer"), AnswerLayout(id: "image_id", text: "caption"),
        AnswerLayout(membersOf: "imgToEval", id: "image_id", text: "caption"),
    ]

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/obj_halbench_300_with_image.jsonl"] }

    // MARK: - Questions

    package struct Question: ExamQuestion {
        package let asked: Asked
        package let place: String
        package fileprivate(set) var truth: Set<String>
        fileprivate let number: Int
    }

    package func read(_ file: ExamFile) throws -> (questions: [Question], labelFiles: [String]) {
        var questions: [Question] = []
        var ids = QuestionIDs()
        try file.lines().forEachObject { object, line in
            let question = try Self.question(object, place: "\(file.path):\(line)")
            try ids.add(question.asked.id, line: line)
            questions.append(question)
        }
        guard let first = questions.first else { return ([], []) }
        let labelFiles = file.labels.isEmpty ? COCOObjects.files(beside: file.path) : file.labels
        let objects = try COCOObjects(
            of: Set(questions.map(\.number)), in: labelFiles, Self.coco, for: first.place)
        for (index, question) in questions.enumerated() {
            questions[index].truth = try objects.picture(question.number, askedAt: question.place).truth[0]
        }
        return (questions, labelFiles)
    }

    private static func question(_ object: JSONObject, place: String) throws -> Question {
        let name = try object.word("image_id")
        guard let number = COCOObjects.number(name) else {
            throw RecordError.invalid(
                key: "image_id", found: "\"\(name)\"", remedy: "write COCO's id, as in 9 or 000000000009.jpg")
        }
        let id = object["question_id"] == nil ? name : try object.word("question_id")
        let text = try object.string("question") ?? object.requiredString("text")
        let image = try object.string("image") ?? COCOObjects.file(number)
        // As the script tells pictures from paths.
        guard image.utf8.count > 100 else {
            return Question(
                asked: Asked(id: id, image: image, prompt: text), place: place, truth: [], number: number)
        }
        return Question(
            asked: Asked(
                id: id, image: COCOObjects.file(number), embedded: try EmbeddedPicture.uri(base64: image),
                prompt: text), place: place, truth: [], number: number)
    }

    package func score(
        _ question: Question, answer: String, _ finder: ObjectFinder
    ) -> ObjectHalBenchScore {
        ObjectHalBenchScore(question.asked, text: answer, question.truth)
    }

    // MARK: - The lexicon

    /// CHAIR's synonyms without spaces around, and what RLHF-V added (`synonyms_refine.txt`).
    private static let objects: [[String]] = objectSynonyms.map { line in
        let synonyms = line.split(separator: ",").map { CodePoints(String($0)).stripped.text }
        return synonyms + (added[synonyms[0]] ?? [])
    }
    private static let added = [
        "person": ["brother", "pedestrian"], "dining table": ["coffee table"], "remote": ["remote control"],
    ]

    private static let words = COCOWords(
        objects,
        doubleWords: objects.joined().filter { $0.contains(" ") } + ["home plate", "train track"])

    private static let coco = COCOObjects.Lexicon(
        name: { words.name(of: $0) }, objects: { [Set(mentions(in: $0).map(\.object))] }, ways: 1)

    fileprivate static func mentions(in caption: String) -> [CaptionScore.Mention] {
        words.reading(
            WordTokenizer.words(caption.lowercased()).map { Lemmatizer.shared.lemma(of: $0, tag: "NN") }
        ).mentions
    }

    // MARK: - Figures

    private static func sum(_ name: String) -> String { "object-halbench.rule.\(name)" }

    package var figures: [Figure] {
        func figure(
            _ key: String, _ name: String, _ better: Figure.Better, _ formula: Formula,
            unit: Figure.Unit = .fraction, isSummarized: Bool = true
        ) -> Figure {
            Figure(
                "object_halbench_rule_\(key)", "Object HalBench by rule, \(name)", unit, better: better,
                formula, isSummarized: isSummarized)
        }
        func ratio(_ part: String, _ whole: String) -> Formula {
            .ratio(Self.sum(part), of: Self.sum(whole))
        }
        return [
            // Of the answers that name an object of COCO's at all.
            figure("response", "responses that invent", .less, ratio("inventing", "naming")),
            figure("object", "objects invented", .less, ratio("invented", "mentions")),
            figure("recall", "object recall", .more, ratio("covered", "objects")),
            figure("length", "words", .neither, ratio("words", "answers"), unit: .named),
            figure(
                "all", "responses that invent, of all", .less, ratio("inventing", "answers"),
                isSummarized: false),
        ]
    }

    package func count(
        _ scores: [ObjectHalBenchScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) {
        for score in scores {
            let named = score.mentions.map(\.object)
            let invented = named.count { !score.truth.contains($0) }
            sums.add(
                [
                    Self.sum("answers"): 1, Self.sum("naming"): named.isEmpty ? 0 : 1,
                    Self.sum("inventing"): invented > 0 ? 1 : 0,
                    Self.sum("mentions"): Double(named.count), Self.sum("invented"): Double(invented),
                    Self.sum("objects"): Double(score.truth.count),
                    Self.sum("covered"): Double(Set(score.truth).intersection(named).count),
                    Self.sum("words"): Double(score.words),
                ], to: score.image)
        }
    }

    package func remarks(_ scores: [ObjectHalBenchScore]) -> [[String]] {
        let silent = scores.count { $0.mentions.isEmpty }
        return scores.isEmpty
            ? [] : [["Object HalBench answers without an object, not counted", String(silent)]]
    }
}

/// An answer held against COCO.
package struct ObjectHalBenchScore: ExamScore {
    package var id: String
    package var image: String
    package var prompt: String
    package var text: String
    /// In the alphabet's order.
    package var truth: [String]
    /// Each time that an object is named.
    package var mentions: [CaptionScore.Mention]
    /// What single spaces part.
    package var words: Int

    fileprivate init(_ asked: Asked, text: String, _ truth: some Collection<String>) {
        (id, image, prompt, self.text) = (asked.id, asked.image, asked.prompt, text)
        self.truth = truth.sorted()
        // As the script takes answers out of files.
        let caption = CodePoints(text.replacing("Assistant:", with: "")).stripped
        mentions = ObjectHalBench.mentions(in: caption.text)
        words = caption.count { $0 == " " } + 1
    }

    package var said: String { text }
    package var unanswered: ObjectHalBenchScore {
        ObjectHalBenchScore(Asked(id: id, image: image, prompt: prompt), text: "", truth)
    }
}
