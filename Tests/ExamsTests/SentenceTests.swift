import Exams
import Testing

/// Captions cut into sentences that together are the caption.
struct SentenceTests {
    @Test(arguments: [
        ("A dog. A cat is here.", ["A dog. ", "A cat is here."]), ("A dog\nA cat", ["A dog\n", "A cat"]),
        ("It is 3.5 cm long. A dog.", ["It is 3.5 cm long. ", "A dog."]),
        ("A dog...\nA cat!", ["A dog...\n", "A cat!"]),
        ("\"A dog!\" he said. No", ["\"A dog!\" ", "he said. ", "No"]), ("", []), ("  ", ["  "]),
        ("有一只狗。有一只猫。", ["有一只狗。", "有一只猫。"]),
    ])
    func aTextIsItsSentences(text: String, sentences: [String]) {
        let found = ObjectFinder().sentences(of: text)
        #expect(found.map(\.text) == sentences && found.map(\.text).joined() == text)
    }

    @Test func eachNamesItsObjects() {
        let found = ObjectFinder().sentences(of: "Two dogs and a car. Nothing. A large bus?")
        #expect(found.map(\.objects) == [["dog", "car"], [], ["bus"]])
    }
}
