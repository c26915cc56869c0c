import Exams
import Foundation
import Testing

@Suite struct SharedTextTests {
    @Test func textsAreToldApartByTheirBytes() {
        let texts = (0..<5000).map { "text \($0)" } + ["", "é", "e\u{301}", "a\u{0}b", "🐕"]
        let shared = texts.map { SharedText($0) }
        #expect(Set(shared).count == texts.count)
        #expect(shared.map { Array($0.text.utf8) } == texts.map { Array($0.utf8) })
        #expect(texts.map { SharedText($0) } == shared)
    }

    @Test func anAnswerIsWrittenAsBefore() throws {
        let score = QuestionScore(
            id: "1", image: "a.jpg", prompt: "?", task: "random", label: "yes", answer: "Yes", object: "dog")
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(score), as: UTF8.self)
        #expect(
            text
                == #"{"answer":"Yes","id":"1","image":"a.jpg","label":"yes","object":"dog","prompt":"?","task":"random"}"#
        )
        #expect(try JSONDecoder().decode(QuestionScore.self, from: Data(text.utf8)) == score)
        let before = #"{"answer":"Yes","id":"1","image":"a.jpg","label":"yes","prompt":"?","task":"random"}"#
        #expect(try JSONDecoder().decode(QuestionScore.self, from: Data(before.utf8)).object == nil)
    }
}
