import Records

/// How a critic's text is read as the number of the better answer.
package enum VerdictReading: String, Sendable, CaseIterable {
    /// `exact`, or else the one number of the two that stands alone in the text: "Answer 2 is better.".
    case plain
    /// SIMA's released rule: the text between the last `[[` and the next `]]`, and without brackets the
    /// whole text, must be exactly `1` or `2`.
    case exact

    /// - Parameter isCut: whether the text was cut off at a length. A number in its midst is then none of a verdict:
    ///   "Answer 1: a red car" begins a reason.
    /// - Returns: 1 or 2, or nil where the text can't be read.
    package func slot(in text: String, isCut: Bool = false) -> Int? {
        let bytes = Array(text.utf8)
        let opening = lastRange(of: "[[", in: bytes)
        let start = opening?.upperBound ?? 0
        let verdict = bytes[start..<(firstIndex(of: "]]", in: bytes, from: start) ?? bytes.count)]
        if let slot = number(verdict) { return slot }
        // A bracketed verdict that is no 1 or 2 is a verdict that failed, not free text.
        guard self == .plain, opening == nil, !isCut else { return nil }
        let words = text.unicodeScalars
            .split { !($0.properties.isAlphabetic || $0.properties.numericType != nil) }
            .map { number(String($0).utf8) }
        let named = Set(words.compactMap { $0 })
        return named.count == 1 ? named.first : nil
    }

    private func number(_ bytes: some Collection<UInt8>) -> Int? {
        switch (bytes.count, bytes.first) {
        case (1, UInt8(ascii: "1")): 1
        case (1, UInt8(ascii: "2")): 2
        default: nil
        }
    }

    private func firstIndex(of mark: String, in bytes: [UInt8], from start: Int) -> Int? {
        let mark = Array(mark.utf8)
        guard bytes.count >= start + mark.count else { return nil }
        return (start...(bytes.count - mark.count)).first {
            bytes[$0..<($0 + mark.count)].elementsEqual(mark)
        }
    }

    private func lastRange(of mark: String, in bytes: [UInt8]) -> Range<Int>? {
        let mark = Array(mark.utf8)
        guard bytes.count >= mark.count else { return nil }
        let start = (0...(bytes.count - mark.count)).last {
            bytes[$0..<($0 + mark.count)].elementsEqual(mark)
        }
        return start.map { $0..<($0 + mark.count) }
    }
}

extension Verdict {
    /// The verdict of a critic that was shown `order` and wrote `raw`.
    package init(
        critic: String, order: [String], raw: String, reading: VerdictReading, isCut: Bool = false
    ) {
        let slot = reading.slot(in: raw, isCut: isCut).flatMap { $0 <= order.count ? $0 : nil }
        self.init(
            critic: critic, order: order, choice: slot.map { .candidate(order[$0 - 1]) } ?? .unreadable,
            raw: raw)
    }
}

extension Verdict.Choice {
    /// What two verdicts on the same answers in both orders say together: what they agree on; a tie where
    /// they contradict each other, or one sees a tie; unreadable where either is.
    package static func combined(_ first: Verdict.Choice, _ second: Verdict.Choice) -> Verdict.Choice {
        if first == .unreadable || second == .unreadable { return .unreadable }
        return first == second ? first : .tie
    }
}
