import Exams
import Testing

@Suite struct YesNoTests {
    /// Every quirk of POPE's rule; the answers were read off the official script.
    @Test(arguments: [
        ("Yes", YesNo.yes), ("Yes.", .yes), ("No", .no), ("no", .no), ("No, there is no dog.", .no),
        ("No. Yes", .no), ("Yes. No", .yes), ("It is not there", .no), ("there is no dog", .no),
        ("", .yes), (" ", .yes), ("NO", .yes), ("Nope", .yes), ("No!", .yes), ("No\n", .yes),
        ("No\tdog", .yes), ("It isn't", .yes), ("Not", .yes), ("NOT", .yes), ("none", .yes), (".No", .yes),
        ("N,o", .no), (",No,", .no), ("no,dog", .yes), ("  no  ", .no), ("Yes no", .no),
        ("No\u{301}", .yes), ("No\u{A0}", .yes), ("Yes\r\nno", .yes), ("è no", .no),
    ])
    func popeReadsAsTheOfficialScript(_ text: String, _ expected: YesNo) {
        #expect(popeAnswer(in: text) == expected)
        #expect(YesNoProfile.official.answer(in: text) == expected)
    }

    @Test(arguments: [
        ("Yes", YesNo?.some(.yes)), ("yes, it is", .yes), ("  **No**", .no), ("NO!", .no), ("No\n", .no),
        ("", nil), ("Nope", nil), ("There is no dog", nil), ("Yesterday", nil), ("yes-no", .yes), ("1", nil),
    ])
    func strictTakesTheFirstWordOnly(_ text: String, _ expected: YesNo?) {
        #expect(YesNoProfile.strict.answer(in: text) == expected)
    }

    @Test(arguments: [
        ("Yes", YesNo?.some(.yes)), ("no, it is a car", .no), ("Not sure", .no), ("Nothing", .no),
        ("Know", .no), ("Snow", .no), ("The answer is yes", nil), ("N", nil), ("", nil), (" Yes", .yes),
        ("  Yes", nil), ("  no", .no), ("NOYES", .no), ("yes\n", .yes), ("\u{130}No", .no),
        ("a\u{301}yes", nil),
    ])
    func mmeLooksAtFourCharacters(_ text: String, _ expected: YesNo?) {
        #expect(mmeAnswer(in: text) == expected)
    }
}
