import OracleFixtures
import Pairing
import Testing

/// `edits.json`
private struct EditCase: Decodable {
    struct Spans: Decodable {
        let chosen: [[Int]]
        let rejected: [[Int]]
    }

    let chosen: [Int32]
    let rejected: [Int32]
    let spans: Spans
}

@Suite struct EditAlignmentTests {
    @Test func agreesWithDifflib() throws {
        let cases = try Oracle.json("edits", as: [EditCase].self)
        #expect(cases.contains { !$0.spans.chosen.isEmpty })
        for expected in cases {
            let edits = EditAlignment(chosen: expected.chosen, rejected: expected.rejected)
            #expect(edits.chosen.map { [$0.lowerBound, $0.upperBound] } == expected.spans.chosen)
            #expect(edits.rejected.map { [$0.lowerBound, $0.upperBound] } == expected.spans.rejected)
        }
    }

    @Test func insertionsAndDeletionsKeepTheirWeight() {
        let edits = EditAlignment(chosen: [1, 2, 3, 9, 8, 4, 5, 6], rejected: [1, 2, 3, 4, 5, 6])
        #expect(edits.chosen.isEmpty && edits.rejected.isEmpty)
    }

    /// The two tokens that match between two replacements are part of one edit.
    @Test func shortMatchesAreAbsorbed() {
        let edits = EditAlignment(
            chosen: [1, 2, 3, 20, 7, 8, 21, 4, 5, 6], rejected: [1, 2, 3, 22, 7, 8, 23, 4, 5, 6])
        #expect(edits.chosen == [3..<7] && edits.rejected == [3..<7])
    }
}
