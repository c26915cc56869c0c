import Random

/// How a true sentence is made false.
package enum Falsehood: String, CaseIterable, Codable, Sendable {
    case absentObject = "absent_object"
    case wrongColour = "wrong_color"
    case wrongPlace = "wrong_place"
    case wrongSize = "wrong_size"
    case wrongRelation = "wrong_relation"
    case wrongContext = "wrong_context"
}

extension Scene {
    /// `sentence` with one thing changed so that it's false of this scene, or nil where it holds nothing of
    /// that kind. The result is checked by the judge: it's never true by accident.
    package func falsify(_ sentence: String, _ kind: Falsehood, using random: inout SplitMix64) -> String? {
        let parsed = ParsedSentence(sentence)
        let edits = random.shuffled(edits(of: parsed, kind))
        // Half of the absent objects come from the scene's own context: the likely ones are the hard ones.
        let ordered =
            kind == .absentObject && random.chance(0.5) ? edits.sorted { $0.isLikely && !$1.isLikely } : edits
        for edit in ordered {
            let text = edit.applied(to: parsed.words)
            if verdict(on: ParsedSentence(text)) == .false { return text }
        }
        return nil
    }

    private func edits(of sentence: ParsedSentence, _ kind: Falsehood) -> [Edit] {
        switch kind {
        case .absentObject:
            return sentence.claims.flatMap { claim in
                let isPlural = sentence.words[claim.noun].core == claim.category.plural
                // A sentence without a place is a companion's: no falsehood is made that the habit would tell.
                let habitual = claim.placeWords == nil ? tempting : []
                return Category.allCases.filter { !has($0) && !habitual.contains($0) }.map { absent in
                    Edit(
                        range: claim.noun..<claim.noun + 1, text: isPlural ? absent.plural : absent.rawValue,
                        isLikely: absent.context == context)
                }
            }
        case .wrongColour:
            return sentence.claims.flatMap { claim in
                claim.colourWord.map { word in
                    Colour.allCases.filter { $0 != claim.colour }
                        .map { Edit(range: word..<word + 1, text: $0.rawValue) }
                } ?? []
            }
        case .wrongSize:
            return sentence.claims.flatMap { claim in
                claim.sizeWord.map { word in
                    Size.allCases.filter { $0 != claim.size }
                        .map { Edit(range: word..<word + 1, text: $0.rawValue) }
                } ?? []
            }
        case .wrongPlace:
            return sentence.claims.flatMap { claim in
                claim.placeWords.map { range in Place.all.map { self.edit(range, to: $0, sentence.words) } }
                    ?? []
            }
        case .wrongContext:
            let word = sentence.words.firstIndex { Lexicon.contexts[$0.core] == sentence.context }
            guard let word, sentence.context != nil else { return [] }
            return Context.allCases.filter { $0 != context }
                .map { Edit(range: word..<word + 1, text: $0.rawValue) }
        case .wrongRelation:
            return sentence.relations.map { Edit(range: $0.words, text: $0.relation.opposite.phrase) }
        }
    }

    /// "at the top left" and "in the middle" differ in their preposition too.
    private func edit(_ range: Range<Int>, to place: Place, _ words: [Word]) -> Edit {
        let start = range.lowerBound
        if start >= 2, words[start - 1].core == "the", ["at", "in", "on"].contains(words[start - 2].core) {
            return Edit(range: start - 2..<range.upperBound, text: place.phrase)
        }
        return Edit(range: range, text: place.name)
    }
}

/// Words to be replaced. What clings to them outside (a full stop) stays.
private struct Edit {
    let range: Range<Int>
    let text: String
    var isLikely = false

    func applied(to words: [Word]) -> String {
        var result = words
        let isCapital = words[range.lowerBound].raw.utf8.first.map { (65...90).contains($0) } ?? false
        let raw = isCapital ? text.prefix(1).uppercased() + text.dropFirst() : text
        let changed = Word(
            before: words[range.lowerBound].before, raw: raw, after: words[range.upperBound - 1].after,
            core: raw.lowercased())
        result.replaceSubrange(range, with: [changed])
        for index in result.indices.dropLast() where ["a", "an"].contains(result[index].core) {
            let isVowel = result[index + 1].raw.first.map { "aeiouAEIOU".contains($0) } ?? false
            let article = isVowel ? "an" : "a"
            let isCapital = result[index].raw.first == "A"
            result[index].raw = isCapital ? article.prefix(1).uppercased() + article.dropFirst() : article
        }
        return result.map(\.text).joined(separator: " ")
    }
}
