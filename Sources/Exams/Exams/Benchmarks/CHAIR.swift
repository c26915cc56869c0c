import Foundation
import JSON
import Metrics
import Records
import Tables

/// CHAIR (Rohrbach et al. 2018) on pictures of COCO: which objects of COCO a caption names, and which of them neither
/// COCO's outlines nor its five captions have. Papers compute it in two variants (`CHAIRLexicon.Variant`), both counted
/// here.
///
/// A line of questions has `image_id`, or a picture's file name under `image`; a file of captions to score is one too.
/// What is in the pictures comes from COCO's own files of instances and captions (`--labels`, or beside the questions),
/// or stands in the line: `objects`, and `objects_original` where the variants differ.
package struct CHAIR: Exam {
    package let name = "chair"
    package let title = "CHAIR"
    package let help: String? = "CHAIR's COCO pictures by image_id, with --labels for COCO's files."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`captions.jsonl` of `image_id` or `image`; COCO's `instances_*2014.json` and `captions_*2014.json` beside it or in `annotations/` (below)",
        source: "COCO's site", license: "CC BY 4.0")
    package let readsLabels = true
    package let takesSeveralFiles = false
    package let answers = AnswerLength.caption
    /// OPERA's lines, and the object of the original.
    package let layouts = [
        AnswerLayout(id: "image_id", text: "caption"),
        AnswerLayout(membersOf: "imgToEval", id: "image_id", text: "caption"),
    ]

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/captions.jsonl"] }

    package static let prompt = "Please describe this image in detail."

    package struct Question: ExamQuestion {
        package let asked: Asked
        package let place: String
        package fileprivate(set) var truth: Truth
    }

    /// The objects of a picture by each variant, whose readers differ on COCO's captions.
    package struct Truth: Sendable, Equatable, Codable {
        package var wordnet: Set<String> = []
        package var original: Set<String> = []

        package init(wordnet: Set<String> = [], original: Set<String> = []) {
            (self.wordnet, self.original) = (wordnet, original)
        }

        /// Those of the lexicon's ways.
        fileprivate init(_ ways: [Set<String>]) { self.init(wordnet: ways[0], original: ways[1]) }

        /// In the alphabet's order: a set's own differs from run to run.
        package func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(wordnet.sorted(), forKey: .wordnet)
            try values.encode(original.sorted(), forKey: .original)
        }

        package subscript(variant: CHAIRLexicon.Variant) -> Set<String> {
            get { variant == .wordnet ? wordnet : original }
            set { if variant == .wordnet { wordnet = newValue } else { original = newValue } }
        }
    }

    // MARK: - Questions

    package func read(_ file: ExamFile) throws -> (questions: [Question], labelFiles: [String]) {
        var rows: [Row] = []
        var ids = QuestionIDs()
        try layouts.forEachObject(in: file.lines()) { object, line in
            let row = try Row(object, place: "\(file.path):\(line)")
            try ids.add(row.id, line: line)
            rows.append(row)
        }
        let unknown = rows.filter { $0.truth == nil }
        var labelFiles: [String] = []
        var known: [Int: COCOObjects.Picture] = [:]
        if !unknown.isEmpty {
            labelFiles = file.labels.isEmpty ? COCOObjects.files(beside: file.path) : file.labels
            let objects = try COCOObjects(
                of: Set(unknown.map(\.number)), in: labelFiles, Self.lexicon, for: unknown[0].place)
            for row in unknown { known[row.number] = try objects.picture(row.number, askedAt: row.place) }
        }
        let questions = rows.map { row in
            Question(
                asked: Asked(
                    id: row.id, image: row.image ?? known[row.number]?.file ?? COCOObjects.file(row.number),
                    prompt: row.prompt), place: row.place,
                truth: row.truth ?? known[row.number].map { Truth($0.truth) } ?? Truth())
        }
        return (questions, labelFiles)
    }

    private static let lexicon = COCOObjects.Lexicon(
        name: { CHAIRLexicon.shared.name(of: $0) },
        objects: { caption in
            let found = CHAIRLexicon.shared.readings(of: caption)
            return [found.wordnet, found.original].map { Set($0.mentions.map(\.object)) }
        }, ways: 2)

    /// A line of questions.
    private struct Row {
        let id: String
        /// COCO's.
        let number: Int
        let image: String?
        let prompt: String
        let place: String
        let truth: Truth?

        init(_ object: JSONObject, place: String) throws {
            self.place = place
            image = try object.string("image")
            let name = object["image_id"] == nil ? image : try object.word("image_id")
            guard let name else { throw RecordError.missing(key: "image_id") }
            guard let number = COCOObjects.number(name) else {
                throw RecordError.invalid(
                    key: object["image_id"] == nil ? "image" : "image_id", found: "\"\(name)\"",
                    remedy: "write COCO's id or file name, as in 9 or COCO_val2014_000000000009.jpg")
            }
            self.number = number
            id = object["question_id"] == nil ? name : try object.word("question_id")
            prompt = try object.string("prompt") ?? CHAIR.prompt
            guard object["objects"] != nil else {
                truth = nil
                return
            }
            let objects = try Self.names("objects", in: object)
            truth = Truth(
                wordnet: objects,
                original: object["objects_original"] == nil
                    ? objects : try Self.names("objects_original", in: object))
        }

        private static func names(_ key: String, in object: JSONObject) throws -> Set<String> {
            Set(
                try object.requiredStrings(key).map { word in
                    if let name = CHAIRLexicon.shared.name(of: word) { return name }
                    throw RecordError.invalid(
                        key: key, found: "\"\(word)\"", remedy: "name objects as COCO's categories")
                })
        }
    }

    package func score(_ question: Question, answer: String, _ finder: ObjectFinder) -> CHAIRScore {
        CHAIRScore(
            id: question.asked.id, image: question.asked.image, prompt: question.asked.prompt, text: answer,
            truth: question.truth)
    }

    // MARK: - Figures

    /// Names of the sums of a variant.
    private struct Sums {
        let captions, inventing, mentions, invented, objects, covered, words: String

        init(_ variant: CHAIRLexicon.Variant) {
            let start = "chair.\(variant.rawValue)"
            (captions, inventing) = ("\(start).captions", "\(start).captions.inventing")
            (mentions, invented) = ("\(start).mentions", "\(start).mentions.invented")
            (objects, covered) = ("\(start).objects", "\(start).objects.covered")
            words = "\(start).words"
        }
    }

    package var figures: [Figure] {
        CHAIRLexicon.Variant.allCases.flatMap { variant in
            let (sums, key) = (Sums(variant), "chair_\(variant.rawValue)")
            let name = variant == .wordnet ? "CHAIR WordNet" : "CHAIR original"
            return [
                // An empty caption counts as a caption.
                Figure(
                    "\(key)_s", "\(name) S", .fraction, better: .less,
                    .ratio(sums.inventing, of: sums.captions)),
                Figure(
                    "\(key)_i", "\(name) I", .fraction, better: .less,
                    .ratio(sums.invented, of: sums.mentions)),
                Figure(
                    "\(key)_recall", "\(name) recall", .fraction, better: .more,
                    .ratio(sums.covered, of: sums.objects)),
                // In hundreds of words, as the script has it.
                Figure(
                    "\(key)_len", "\(name) Len", .fraction,
                    .function(of: [sums.words, sums.captions]) { 0.01 * $0[0] / $0[1] }),
                Figure(
                    "\(key)_per_100_words", "\(name) invented in 100 words", .named, better: .less,
                    .function(of: [sums.invented, sums.words]) { 100 * quotient($0[0], $0[1]) }),
            ]
        }
    }

    package var highlights: Highlights {
        var highlights = Highlights()
        highlights.columns = [
            ("chair_wordnet_s", "CHAIR_S % ↓"), ("chair_wordnet_recall", "recall % ↑"),
        ]
        highlights.plotted = [
            "chair_wordnet_s", "chair_wordnet_i", "chair_wordnet_recall", "chair_wordnet_len",
        ]
        highlights.changes = [("chair_wordnet_s", "CHAIR_S (WordNet)", .relative)]
        return highlights
    }

    package func count(_ scores: [CHAIRScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        let names = CHAIRLexicon.Variant.allCases.map { ($0, Sums($0)) }
        for score in scores {
            for (variant, own) in names {
                let (truth, reading) = (score.truth[variant], score[variant])
                let invented = reading.mentions.count { !truth.contains($0.object) }
                sums.add(
                    [
                        own.captions: 1, own.inventing: invented > 0 ? 1 : 0,
                        own.mentions: Double(reading.mentions.count), own.invented: Double(invented),
                        own.objects: Double(truth.count),
                        own.covered: Double(truth.intersection(reading.mentions.map(\.object)).count),
                        own.words: Double(reading.words),
                    ], to: score.image)
            }
        }
    }

    /// By object, WordNet's variant: how often it is named, invented, and there; the most often invented first.
    package func tables(_ scores: [CHAIRScore]) throws -> [TextTable] {
        var counts: [String: (named: Int, invented: Int, there: Int, told: Int)] = [:]
        for score in scores {
            let truth = score.truth[.wordnet]
            let named = score[.wordnet].mentions.map(\.object)
            for object in named {
                counts[object, default: (0, 0, 0, 0)].named += 1
                if !truth.contains(object) { counts[object, default: (0, 0, 0, 0)].invented += 1 }
            }
            for object in truth {
                counts[object, default: (0, 0, 0, 0)].there += 1
                if named.contains(object) { counts[object, default: (0, 0, 0, 0)].told += 1 }
            }
        }
        guard !counts.isEmpty else { return [] }
        let rows = counts.sorted { ($1.value.invented, $0.key) < ($0.value.invented, $1.key) }.map {
            name, own in
            let shares = [
                quotient(Double(own.invented), Double(own.named)),
                quotient(Double(own.told), Double(own.there)),
            ]
            return [name, String(own.named), String(own.invented), String(own.there)]
                + shares.map { fixed(100 * $0, 1) }
        }
        return [
            TextTable([["CHAIR WordNet", "named", "invented", "pictures", "invented %", "recall %"]] + rows)
        ]
    }
}

/// A caption held against COCO.
package struct CHAIRScore: ExamScore {
    package var id: String
    package var image: String
    package var prompt: String
    package var text: String
    package var truth: CHAIR.Truth
    package var wordnet: CHAIRLexicon.Reading
    package var original: CHAIRLexicon.Reading

    package init(id: String, image: String, prompt: String, text: String, truth: CHAIR.Truth) {
        (self.id, self.image, self.prompt, self.text, self.truth) = (id, image, prompt, text, truth)
        (wordnet, original) = CHAIRLexicon.shared.readings(of: text)
    }

    package subscript(variant: CHAIRLexicon.Variant) -> CHAIRLexicon.Reading {
        variant == .wordnet ? wordnet : original
    }

    package var said: String { text }
    package var unanswered: CHAIRScore {
        CHAIRScore(id: id, image: image, prompt: prompt, text: "", truth: truth)
    }
}
