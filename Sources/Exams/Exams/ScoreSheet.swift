import Files
import Foundation
import Metrics

/// Everything that one model answered, judged: `scores.json`. Comparisons are made from it without generating
/// again.
package struct ScoreSheet: Sendable {
    package static let fileName = "scores.json"
    private static let version = 1

    /// Those whose scores it may hold.
    package let exams: ExamList
    /// Digest of the model, nil where answers were given.
    package var model: String?
    /// What was added to logits, by token; nil where nothing was.
    package var logitBias: [String: Float]?
    /// How answers were drawn where it was otherwise than by the likeliest token.
    package var decoding: String?
    /// Of generating and scoring.
    package var seconds: Double
    /// By exam, in each an array of its scores; those that stand in the file.
    private var scores: [String: any Sendable] = [:]

    package init(model: String? = nil, seconds: Double = 0, _ exams: ExamList = .all) {
        (self.model, self.seconds, self.exams) = (model, seconds, exams)
        for exam in exams.exams where exam.standsEmpty { setEmpty(exam) }
    }

    private mutating func setEmpty<E: Exam>(_ exam: E) { self[exam] = [] }

    /// The scores of an exam; none where it wasn't taken.
    package subscript<E: Exam>(exam: E) -> [E.Score] {
        get { scores[exam.name] as? [E.Score] ?? [] }
        set { scores[exam.name] = newValue }
    }

    /// Leaves out what an exam found.
    package mutating func forget(_ exam: some Exam) { scores[exam.name] = nil }

    private func has(_ exam: any Exam) -> Bool { scores[exam.name] != nil }

    /// The folder that eval wrote: the one named, or the round's `eval` inside.
    package static func place(of folder: String) -> String {
        FileManager.default.fileExists(atPath: "\(folder)/eval/\(fileName)") ? "\(folder)/eval" : folder
    }
}

// MARK: - Beside another

extension ScoreSheet: Equatable {
    package static func == (a: ScoreSheet, b: ScoreSheet) -> Bool {
        a.model == b.model && a.logitBias == b.logitBias && a.decoding == b.decoding && a.seconds == b.seconds
            && a.exams == b.exams
            && a.exams.exams.allSatisfy { a.agrees(with: b, in: $0) }
    }

    private func agrees<E: Exam>(with other: ScoreSheet, in exam: E) -> Bool {
        has(exam) == other.has(exam) && self[exam] == other[exam]
    }

    /// Whether the same was asked, whatever the models said: such sheets can be held against each other.
    package func asksTheSame(as other: ScoreSheet) -> Bool {
        func asked<E: Exam>(_ exam: E) -> Bool {
            self[exam].lazy.map(\.unanswered).elementsEqual(other[exam].lazy.map(\.unanswered))
        }
        return exams == other.exams && exams.exams.filter { $0.help != nil }.allSatisfy { asked($0) }
    }

    /// Whether all of it was answered word for word as in `other`, of which the same was asked.
    package func saysTheSame(as other: ScoreSheet) -> Bool {
        func said<E: Exam>(_ exam: E) -> Bool {
            self[exam].elementsEqual(other[exam]) { $0.said.utf8.elementsEqual($1.said.utf8) }
        }
        return exams.exams.filter { $0.help != nil }.allSatisfy { said($0) }
    }

    /// How many captions and short answers it holds, without what was asked on.
    package var counts: (captions: Int, answers: Int) {
        func count<E: Exam>(_ exam: E) -> Int { self[exam].count }
        return exams.exams.filter { $0.help != nil }.reduce(into: (0, 0)) {
            if $1.answers == .caption { $0.0 += count($1) } else { $0.1 += count($1) }
        }
    }
}

// MARK: - Figures

extension ScoreSheet {
    /// Sufficient statistics per image.
    ///
    /// - Throws: `EvaluationError` or `MetricsError` for scores that can't be counted.
    package func sums() throws -> ClusteredSums {
        var sums = ClusteredSums()
        func count<E: Exam>(_ exam: E) throws { try exam.count(self[exam], beside: self, in: &sums) }
        for exam in exams.exams { try count(exam) }
        return sums
    }

    /// Its figures, those too that no summary has, with what they are.
    ///
    /// - Throws: what `sums` throws; `MetricsError.empty` if nothing was answered, but for what a server scores.
    package func figures() throws -> [(figure: Figure, value: Double)] {
        let sums = try sums()
        guard !sums.clusters.isEmpty || !submissions.isEmpty else {
            throw MetricsError.empty(where: "evaluation")
        }
        let known = [ExamList.images: Double(sums.clusters.count), ExamList.seconds: seconds]
        return zip(exams.figures, sums.values(of: exams.figures.map(\.formula))).compactMap { figure, value in
            (value ?? known[figure.key]).map { (figure, $0) }
        }
    }

    /// - Throws: what `figures` throws.
    package func summary() throws -> Summary {
        let own = try figures().filter(\.figure.isSummarized).map { ($0.figure.key, $0.value) }
        return Summary(values: Dictionary(uniqueKeysWithValues: own))
    }

    /// Right and wrong answers, series by series.
    func trials() throws -> [TrialSeries] {
        func trials<E: Exam>(_ exam: E) throws -> [TrialSeries] { try exam.trials(self[exam]) }
        return try exams.exams.flatMap { try trials($0) }
    }
}

extension ScoreSheet {
    /// What the servers of benchmarks take, by file name.
    package var submissions: [(name: String, bytes: [UInt8])] {
        func submission<E: Exam>(_ exam: E) -> (name: String, bytes: [UInt8])? {
            let own = self[exam]
            return own.isEmpty ? nil : exam.submission(of: own)
        }
        return exams.exams.compactMap { submission($0) }
    }
}

// MARK: - The file

extension ScoreSheet {
    /// A key of `scores.json`.
    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    /// What is read of a file.
    private struct Content: DecodableWithConfiguration {
        var sheet: ScoreSheet

        init(from decoder: any Decoder, configuration exams: ExamList) throws {
            let values = try decoder.container(keyedBy: Key.self)
            sheet = ScoreSheet(
                model: try values.decodeIfPresent(String.self, forKey: Key("model")),
                seconds: try values.decode(Double.self, forKey: Key("seconds")), exams)
            sheet.logitBias = try values.decodeIfPresent([String: Float].self, forKey: Key("logitBias"))
            sheet.decoding = try values.decodeIfPresent(String.self, forKey: Key("decoding"))
            let version = try values.decode(Int.self, forKey: Key("version"))
            func read<E: Exam>(_ exam: E) throws {
                let key = Key(exam.name)
                guard exam.standsEmpty || values.contains(key) else { return }
                sheet[exam] = try values.decode([E.Score].self, forKey: key)
            }
            for exam in exams.exams { try read(exam) }
            guard version == ScoreSheet.version else { throw OtherVersion(number: version) }
        }
    }

    private struct OtherVersion: Error { let number: Int }

    /// - Throws: `EvaluationError` where the folder (a round's, or its `eval` inside) holds no sheet of this
    ///   version.
    package init(folder: String, _ exams: ExamList = .all) throws {
        let path = "\(Self.place(of: folder))/\(Self.fileName)"
        let bytes = try EvaluationError.reading(path)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(Content.self, from: Data(bytes), configuration: exams).sheet
        } catch is DecodingError {
            throw EvaluationError("\(path): this is not a score sheet; let eval write it again")
        } catch let other as OtherVersion {
            throw EvaluationError(
                "\(path): it has version \(other.number), but only 1 can be read; let eval write it again")
        }
    }

    /// Writes the file, score by score: an encoder that is given all of them holds a tree of their values.
    package func write(to path: String) throws {
        let file = try AtomicFile(path)
        try put { try file.write($0) }
        try file.commit()
    }

    package func json() throws -> Data {
        var data = Data()
        try put { data.append(contentsOf: $0) }
        return data
    }

    private func put(_ write: @escaping ([UInt8]) throws -> Void) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func putList<E: Exam>(_ exam: E) throws {
            var block = Array("[".utf8)
            for (index, score) in self[exam].enumerated() {
                if index > 0 { block.append(UInt8(ascii: ",")) }
                block += try encoder.encode(score)
                if block.count > 1 << 20 {
                    try write(block)
                    block.removeAll(keepingCapacity: true)
                }
            }
            try write(block + [UInt8(ascii: "]")])
        }
        func put(_ value: some Encodable) throws { try write(Array(encoder.encode(value))) }
        var members: [String: () throws -> Void] = [
            "seconds": { try put(seconds) }, "version": { try put(Self.version) },
        ]
        if let model { members["model"] = { try put(model) } }
        if let logitBias { members["logit_bias"] = { try put(logitBias) } }
        if let decoding { members["decoding"] = { try put(decoding) } }
        for exam in exams.exams where has(exam) { members[exam.name] = { try putList(exam) } }
        var start = "{"
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            try write(Array("\(start)\"\(name)\":".utf8))
            try member()
            start = ","
        }
        try write(Array("}\n".utf8))
    }
}
