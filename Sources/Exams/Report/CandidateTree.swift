import Foundation

/// The tree of a record's sentences as rows, each under the sentence before it and coloured by its reward.
struct CandidateTree {
    var picture: PictureReport

    var html: String {
        guard !picture.sentences.isEmpty else { return "" }
        let scale = RewardScale(picture.sentences.compactMap(\.reward))
        let children = Dictionary(grouping: picture.sentences.indices) { picture.sentences[$0].parent }
        let finished = Dictionary(grouping: picture.answers.filter { !$0.path.isEmpty }) {
            $0.path.last ?? -1
        }
        var html = "<ol class=\"tree\">\n"
        // A stack instead of recursion: a tree may be as deep as an answer has sentences.
        var open = (children[-1] ?? []).reversed().map { (node: $0, depth: 0) }
        while let (node, depth) = open.popLast() {
            let below = children[node] ?? []
            let answers = finished[node] ?? []
            html += row(
                node, depth: depth, scale, answers: answers, isAlive: !below.isEmpty || !answers.isEmpty)
            open += below.reversed().map { (node: $0, depth: depth + 1) }
        }
        return html + "</ol>\n"
    }

    private func row(
        _ node: Int, depth: Int, _ scale: RewardScale, answers: [AnswerReport], isAlive: Bool
    ) -> String {
        let sentence = picture.sentences[node]
        let place = sentence.reward.map { "--reward:\(String(format: "%.3f", scale.position($0)));" } ?? ""
        var html = "<li class=\"\(isAlive ? "alive" : "pruned")\" style=\"--depth:\(depth)\">"
        html +=
            "<span class=\"sentence\(sentence.reward == nil ? "" : " scored")\" style=\"\(place)\" dir=\"auto\">"
        html += marked(sentence.text, phrases: sentence.judgement?.invented ?? []) + "</span>"
        let figures = [sentence.reward.map { ("reward", $0) }].compactMap { $0 } + sentence.figures
        if !figures.isEmpty {
            let texts = figures.map { "\(escaped($0.0))\u{A0}\(figure($0.1))" }
            html += " <span class=\"figures\">\(texts.joined(separator: " · "))</span>"
        }
        for answer in answers { html += badge(answer) }
        return html + "</li>\n"
    }

    private func badge(_ answer: AnswerReport) -> String {
        let role = role(of: answer)
        let score = answer.score.map { " " + figure($0) } ?? ""
        let word = role.isEmpty ? "" : " \(role)"
        return " <span class=\"badge \(role)\">\(escaped(answer.id))\(score)\(word)</span>"
    }

    /// A pair names its sides by their text.
    private func role(of answer: AnswerReport) -> String {
        let text = Array(answer.text.utf8)
        if picture.pairs.contains(where: { Array($0.chosen.utf8) == text }) { return "chosen" }
        return picture.pairs.contains { Array($0.rejected.utf8) == text } ? "rejected" : ""
    }
}

/// Places rewards between the worst and the best of a tree.
struct RewardScale {
    private let lower: Double
    private let upper: Double

    init(_ rewards: [Double]) {
        lower = rewards.min() ?? 0
        upper = rewards.max() ?? 0
    }

    /// 0 for the worst, 1 for the best, ½ where all are equal.
    func position(_ reward: Double) -> Double {
        upper > lower ? (reward - lower) / (upper - lower) : 0.5
    }
}

/// A number with three significant digits and a real minus.
func figure(_ value: Double) -> String {
    let text = String(
        format: abs(value) >= 100 || value == 0 ? "%.0f" : abs(value) >= 10 ? "%.1f" : "%.2f", value)
    return text.hasPrefix("-") ? "−" + text.dropFirst() : text
}
