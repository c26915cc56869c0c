import Tables
import Testing

@Suite struct TextTableTests {
    private let rows = [["", "score", "note"], ["recall", "9.5", "é"], ["n", "10"]]

    @Test func columnsAreAsWideAsTheirWidestCell() {
        #expect(
            TextTable(rows).plainText == """
                        score  note
                recall    9.5     é
                n          10

                """)
        #expect(
            TextTable(rows, right: [1]).plainText == """
                        score  note
                recall    9.5  é
                n          10

                """)
    }

    @Test func markdownSaysWhichColumnsAreNumbers() {
        #expect(
            TextTable(rows, right: [1]).markdown == """
                |        | score | note |
                | ------ | ----: | ---- |
                | recall |   9.5 | é    |
                | n      |    10 |      |

                """)
    }

    @Test func nothingIsNothing() { #expect(TextTable([]).plainText == "") }

    @Test(arguments: [(1.25, "+1.2"), (-0.04, "0.0"), (-2.0, "−2.0")])
    func signsAreOfWhatIsShown(value: Double, text: String) { #expect(signed(value, 1) == text) }
}
