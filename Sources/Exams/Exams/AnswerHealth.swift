import Tables

/// How well the answers to an exam could be read, and what they look like: empty, unread, broken off.
package struct AnswerHealth: Sendable, Equatable {
    /// An answer that was not read plainly, with what it was taken for.
    package struct Doubt: Sendable, Equatable {
        package let image: String
        package let answer: String
        package let reading: AnswerReading
    }

    /// The exam's name as papers have it.
    package let exam: String
    package private(set) var answers = 0
    /// Nothing but white space.
    package private(set) var empty = 0
    /// Of words as white space parts them.
    package private(set) var words = 0
    /// Whether answers are read as one of a few; else the next three stay 0.
    package private(set) var isRead = false
    /// The benchmark's own script reads nothing.
    package private(set) var unread = 0
    /// The strict reading is the official one.
    package private(set) var plain = 0
    /// Captions and long answers that end without a sign that ends a sentence, as those do that the token limit cuts; nil
    /// for short answers.
    package private(set) var open: Int?
    /// The first of those that were not read plainly.
    package private(set) var doubts: [Doubt] = []

    private static let mostDoubts = 5

    fileprivate init<E: Exam>(_ exam: E, _ scores: [E.Score]) {
        self.exam = exam.title
        if exam.answers != .short { open = 0 }
        for score in scores {
            let said = score.said
            answers += 1
            words += said.split(whereSeparator: \.isWhitespace).count
            if said.allSatisfy(\.isWhitespace) {
                empty += 1
            } else if open != nil, !Self.endsASentence(said) {
                open? += 1
            }
            if let reading = exam.reading(of: score) { add(reading, of: score) }
        }
    }

    private mutating func add(_ reading: AnswerReading, of score: some ExamScore) {
        isRead = true
        if reading.official == nil { unread += 1 }
        if reading.official != nil && reading.official == reading.strict {
            plain += 1
        } else if doubts.count < Self.mostDoubts {
            doubts.append(Doubt(image: score.image, answer: score.said, reading: reading))
        }
    }

    /// Quotes and brackets may close behind the sign.
    private static func endsASentence(_ text: String) -> Bool {
        let last = text.unicodeScalars.reversed().first {
            !$0.properties.isWhitespace && !"\"')]}*”’»".unicodeScalars.contains($0)
        }
        return last.map { ".!?…。！？".unicodeScalars.contains($0) } ?? false
    }
}

extension ScoreSheet {
    /// Of each exam that was taken.
    package var health: [AnswerHealth] {
        func health<E: Exam>(_ exam: E) -> AnswerHealth? {
            let own = self[exam]
            return own.isEmpty ? nil : AnswerHealth(exam, own)
        }
        return exams.exams.compactMap { health($0) }
    }

    /// The pictures of all answers, each once, in the order in which they were asked about.
    package var images: [String] {
        func images<E: Exam>(_ exam: E) -> [String] { self[exam].map(\.image) }
        var seen: Set<String> = [""]
        return exams.exams.flatMap { images($0) }.filter { seen.insert($0).inserted }
    }

    /// What `eval` prints of each exam beside its figures: tables by category.
    ///
    /// - Throws: what counting throws.
    package func categories() throws -> [(exam: String, tables: [TextTable])] {
        func tables<E: Exam>(_ exam: E) throws -> [TextTable] { try exam.tables(self[exam]) }
        return try exams.exams.map { ($0.title, try tables($0)) }.filter { !$0.tables.isEmpty }
    }
}
