import English
import Foundation
import JSON
import Testing

/// What NLTK 3.9.1 and pattern.en make of made-up sentences (`Tests/Fixtures/oracle/make_chair.py`).
private struct EnglishRow: Decodable {
    let text, words, tags, lemmas, singulars: String
    let sentences: [String]

    static func all() throws -> [EnglishRow] {
        let lines = try String(contentsOf: chairFixture("english.jsonl"), encoding: .utf8).split(
            separator: "\n")
        return try lines.map { try JSONDecoder().decode(EnglishRow.self, from: Data($0.utf8)) }
    }
}

func chairFixture(_ name: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/chair/\(name)")
        .standardized
}

@Suite struct EnglishTests {
    @Test func sentencesAndWordsAreNLTKs() throws {
        let rows = try EnglishRow.all()
        #expect(rows.count > 200)
        for row in rows {
            let text = row.text.lowercased()
            #expect(SentenceSplitter.shared.sentences(text) == row.sentences, "\(row.text)")
            #expect(WordTokenizer.words(text).joined(separator: " ") == row.words, "\(row.text)")
        }
    }

    @Test func tagsAreNLTKs() throws {
        for row in try EnglishRow.all() {
            let tags = Tagger.shared.tags(of: row.words.components(separatedBy: " "))
            #expect(tags.joined(separator: " ") == row.tags, "\(row.text)")
        }
    }

    /// Of words that are in CHAIR's lexicon.
    @Test func lemmasAreNLTKs() throws {
        for row in try EnglishRow.all() {
            let words = row.words.components(separatedBy: " ")
            for (index, lemma) in row.lemmas.components(separatedBy: " ").enumerated() {
                let own = Lemmatizer.shared.lemma(
                    of: words[index], tag: row.tags.components(separatedBy: " ")[index])
                #expect(lemma == "_" ? CHAIRWords.all.contains(own) == false : own == lemma, "\(row.text)")
            }
        }
    }

    @Test func singularsArePatterns() throws {
        for row in try EnglishRow.all() {
            let own = row.words.components(separatedBy: " ").map(singular).joined(separator: " ")
            #expect(own == row.singulars, "\(row.text)")
        }
        #expect(
            ["bus", "airbus", "ties", "four", "ware", "oxenford"].map(singular) == [
                "bu", "airbu", "ty", "fmy", "ware", "oxford",
            ])
    }

    @Test func nothingHasNoWords() {
        #expect(WordTokenizer.words("").isEmpty && WordTokenizer.words(" \n ").isEmpty)
        #expect(Tagger.shared.tags(of: []).isEmpty)
    }
}

/// Single words that name an object.
private enum CHAIRWords {
    static let all = Set(
        objectSynonyms.flatMap { $0.components(separatedBy: ", ") }.filter { !$0.contains(" ") })
}
