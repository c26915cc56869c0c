/// Everything one page shows about a run.
package struct RunReport: Sendable {
    package var name: String
    /// Short facts under the title: recipe, seed, models, date.
    package var facts: [(name: String, value: String)]
    package var table: ReportTable?
    /// Habit by habit, where the data has habits.
    package var habits: ReportTable?
    /// The run beside its controls, which don't look.
    package var controls: ReportTable?
    /// Captions before and after.
    package var captions: [CaptionReport]
    package var rounds: [RoundReport]

    package init(
        name: String, facts: [(name: String, value: String)] = [], table: ReportTable? = nil,
        habits: ReportTable? = nil, controls: ReportTable? = nil, captions: [CaptionReport] = [],
        rounds: [RoundReport] = []
    ) {
        (self.name, self.facts, self.table, self.habits) = (name, facts, table, habits)
        (self.controls, self.captions, self.rounds) = (controls, captions, rounds)
    }
}

/// One round of training.
package struct RoundReport: Sendable {
    /// `round-1`, …
    package var name: String
    package var metrics: TrainingMetrics?
    /// Plain text such as the audit of the round's rewards, shown as it is.
    package var notes: String
    package var pictures: [PictureReport]

    package init(
        name: String, metrics: TrainingMetrics? = nil, notes: String = "", pictures: [PictureReport] = []
    ) {
        (self.name, self.metrics, self.notes, self.pictures) = (name, metrics, notes, pictures)
    }
}

/// One record: its picture, the tree of its candidates, and the pairs made of them.
package struct PictureReport: Sendable {
    package var id: String
    package var image: EmbeddedImage?
    package var prompt: String
    /// What is known of the picture, in words.
    package var truth: String?
    package var sentences: [SentenceReport]
    package var answers: [AnswerReport]
    package var pairs: [PairReport]

    package init(
        id: String, image: EmbeddedImage? = nil, prompt: String, truth: String? = nil,
        sentences: [SentenceReport] = [], answers: [AnswerReport] = [], pairs: [PairReport] = []
    ) {
        self.id = id
        self.image = image
        self.prompt = prompt
        self.truth = truth
        self.sentences = sentences
        self.answers = answers
        self.pairs = pairs
    }
}

/// A node of the tree.
package struct SentenceReport: Sendable, Equatable {
    /// Index of the sentence before it, smaller than its own; −1 for a first sentence.
    package var parent: Int
    package var text: String
    /// The calibrated reward, which gives the colour; nil leaves the sentence uncoloured.
    package var reward: Double?
    /// Further figures in the order to show them.
    package var figures: [(name: String, value: Double)]
    package var judgement: TextJudgement?

    package init(
        parent: Int, text: String, reward: Double?, figures: [(name: String, value: Double)] = [],
        judgement: TextJudgement? = nil
    ) {
        self.parent = parent
        self.text = text
        self.reward = reward
        self.figures = figures
        self.judgement = judgement
    }

    package static func == (a: SentenceReport, b: SentenceReport) -> Bool {
        a.parent == b.parent && a.text == b.text && a.reward == b.reward && a.judgement == b.judgement
            && a.figures.elementsEqual(b.figures) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// A finished answer of the tree.
package struct AnswerReport: Sendable, Equatable {
    package var id: String
    package var text: String
    package var path: [Int]
    package var score: Double?

    package init(id: String, text: String, path: [Int], score: Double?) {
        (self.id, self.text, self.path, self.score) = (id, text, path, score)
    }
}

package struct PairReport: Sendable, Equatable {
    package var id: String
    package var chosen: String
    package var rejected: String
    package var margin: Double?
    package var chosenJudgement: TextJudgement?
    package var rejectedJudgement: TextJudgement?

    package init(
        id: String, chosen: String, rejected: String, margin: Double?,
        chosenJudgement: TextJudgement? = nil, rejectedJudgement: TextJudgement? = nil
    ) {
        self.id = id
        self.chosen = chosen
        self.rejected = rejected
        self.margin = margin
        self.chosenJudgement = chosenJudgement
        self.rejectedJudgement = rejectedJudgement
    }
}

/// What the known truth says about a text.
package struct TextJudgement: Sendable, Equatable {
    /// Words of the text, as they stand there, that name what the picture doesn't show.
    package var invented: [String]
    /// A short verdict: "2 of 5 objects, 1 wrong colour".
    package var note: String

    package init(invented: [String], note: String = "") { (self.invented, self.note) = (invented, note) }
}

/// The bytes of a picture and what kind they are.
package struct EmbeddedImage: Sendable, Equatable {
    package let mediaType: String
    package let bytes: [UInt8]

    package init(bytes: [UInt8], mediaType: String) { (self.bytes, self.mediaType) = (bytes, mediaType) }
}
