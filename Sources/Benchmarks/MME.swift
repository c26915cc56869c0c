import Foundation

/// One answered MME question. The two questions on an image stand side by side.
package struct MMEItem: Sendable, Equatable {
    package var task: String
    package var image: String
    package var truth: YesNo
    package var answer: String

    package init(task: String, image: String, truth: YesNo, answer: String) {
        (self.task, self.image, self.truth, self.answer) = (task, image, truth, answer)
    }
}

/// Sums over the questions of one MME task.
package struct MMETaskScore: Sendable, Equatable {
    package var right = 0
    package var questions = 0
    /// Images with both answers right.
    package var bothRight = 0
    package var images = 0
    /// Answers that are neither yes nor no by MME's rule; they count as wrong.
    package var unparsed = 0

    /// Share of right answers.
    package var accuracy: Double { ratio(Double(right), Double(questions)) }
    /// Share of images with both answers right.
    package var accuracyPlus: Double { ratio(Double(bothRight), Double(images)) }
    /// 0 to 200.
    package var score: Double { 100 * accuracy + 100 * accuracyPlus }
}

/// MME figures per task (`eval_tool/calculation.py`).
package struct MMEScore: Sendable, Equatable {
    package private(set) var tasks: [String: MMETaskScore] = [:]

    package static let perceptionTasks = [
        "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork",
        "OCR",
    ]
    package static let cognitionTasks = [
        "commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning",
    ]

    /// - Parameter items: per task, the two questions of an image adjacent.
    /// - Throws: `BenchmarksError.empty`, and `.unmatched` where a question has no partner.
    package init(_ items: [MMEItem]) throws {
        guard !items.isEmpty else { throw BenchmarksError.empty(where: "MME") }
        for pair in try MMEPair.pairs(of: items) { tasks[pair.task, default: MMETaskScore()].add(pair) }
    }

    /// 0 to 2000 over the ten perception tasks; nil unless all of them are there.
    package var perception: Double? { sum(Self.perceptionTasks) }

    /// 0 to 800 over the four cognition tasks; nil unless all of them are there.
    package var cognition: Double? { sum(Self.cognitionTasks) }

    private func sum(_ names: [String]) -> Double? {
        let scores = names.compactMap { tasks[$0]?.score }
        return scores.count == names.count ? scores.reduce(0, +) : nil
    }
}

/// The two questions of one image and how they were answered.
struct MMEPair {
    var task: String
    var image: String
    var right: Int
    var unparsed: Int

    static func pairs(of items: [MMEItem]) throws -> [MMEPair] {
        var tasks: [String] = []
        var byTask: [String: [MMEItem]] = [:]
        for item in items {
            if byTask[item.task] == nil { tasks.append(item.task) }
            byTask[item.task, default: []].append(item)
        }
        return try tasks.flatMap { task in
            let items = byTask[task] ?? []
            return try stride(from: 0, to: items.count, by: 2).map { first in
                guard first + 1 < items.count, items[first].image == items[first + 1].image else {
                    throw BenchmarksError.unmatched(
                        where: "MME \(task), question \(first + 1)",
                        found: "image \(items[first].image) has no second question beside it",
                        remedy: "keep the two questions of an image on adjacent lines")
                }
                let pair = items[first...(first + 1)]
                let answers = pair.map { mmeAnswer(in: $0.answer) }
                return MMEPair(
                    task: task, image: items[first].image,
                    right: zip(pair, answers).count { $0.truth == $1 },
                    unparsed: answers.count { $0 == nil })
            }
        }
    }
}

extension MMETaskScore {
    mutating func add(_ pair: MMEPair) {
        right += pair.right
        questions += 2
        bothRight += pair.right == 2 ? 1 : 0
        images += 1
        unparsed += pair.unparsed
    }
}

extension MMEItem {
    /// Reads a result file of MME's tool: `image<TAB>question<TAB>Yes|No<TAB>answer` per line.
    ///
    /// - Throws: `BenchmarksError.badLine`.
    package static func read(_ text: String, task: String, file: String) throws -> [MMEItem] {
        var items: [MMEItem] = []
        // Bytes: "\r\n" is a single Character, at which a split on "\n" would not cut.
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty {
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 4 else {
                throw BenchmarksError.badLine(
                    file: file, line: index + 1, found: "\(fields.count) tab-separated fields instead of 4")
            }
            guard let truth = YesNo(rawValue: fields[2].lowercased()) else {
                throw BenchmarksError.badLine(
                    file: file, line: index + 1, found: "the truth is \"\(fields[2])\", neither Yes nor No")
            }
            items.append(MMEItem(task: task, image: fields[0], truth: truth, answer: fields[3]))
        }
        return items
    }
}
