/// What a sentence says of one thing. Positions are word indices, for `Scene.falsify`.
package struct Claim: Sendable, Equatable {
    package let category: Category
    package var colour: Colour?
    package var size: Size?
    package var row: Row?
    package var column: Column?
    package var count: Int?
    /// "no dog": true when nothing fits.
    package var isDenied = false

    var noun: Int
    var colourWord: Int?
    var sizeWord: Int?
    var placeWords: Range<Int>?
}

/// What a sentence says of two things, given by their numbers among its claims.
package struct RelationClaim: Sendable, Equatable {
    package let subject: Int
    package let object: Int
    package let relation: Relation
    var words: Range<Int>
}

/// A sentence read once, to be judged against any number of scenes.
///
/// Reading never fails: what is no word of this world is passed over, and a sentence that claims nothing is
/// judged unknown. That is meant for the slips of a model ("a red dog is at at the top").
package struct ParsedSentence: Sendable, Equatable {
    package let words: [Word]
    package fileprivate(set) var claims: [Claim] = []
    package fileprivate(set) var relations: [RelationClaim] = []
    package fileprivate(set) var context: Context?
    /// "not", "or", "maybe": more than this reader understands.
    package fileprivate(set) var isHedged = false

    package init(_ sentence: String) {
        var parser = SentenceParser(words: Lexer.words(of: sentence))
        words = parser.words
        parser.run()
        claims = parser.claims
        relations = parser.relations
        context = parser.context
        isHedged = parser.isHedged
    }
}

/// A left-to-right reader: adjectives wait for their noun, a place goes to the noun before it (or, at the
/// start of a clause, to the one behind it), a relation joins its two neighbours.
private struct SentenceParser {
    let words: [Word]
    var claims: [Claim] = []
    var relations: [RelationClaim] = []
    var context: Context?
    var isHedged = false

    private var position = 0
    private var colour: (value: Colour, word: Int)?
    private var size: (value: Size, word: Int)?
    private var count: Int?
    private var isDenied = false
    private var place: (row: Row?, column: Column?, words: Range<Int>)?
    private var relation: (value: Relation, subject: Int?, words: Range<Int>)?

    init(words: [Word]) {
        self.words = words
    }

    mutating func run() {
        while position < words.count {
            let word = words[position].core
            if let category = Lexicon.categories[word] {
                name(category)
            } else if let value = Lexicon.colours[word] {
                colour = (value, position)
            } else if let value = Lexicon.sizes[word] {
                size = (value, position)
            } else if let value = Lexicon.relations[word] {
                relate(value, upTo: position + 1)
                continue
            } else if Lexicon.rows[word] != nil || Lexicon.columns[word] != nil {
                locate()
                continue
            } else {
                readOther(word)
            }
            if words[position].endsPhrase && !isAdjective(at: position + 1) { settle() }
            position += 1
        }
        settle()
    }

    /// "a big, red car": the comma doesn't end the noun phrase.
    private func isAdjective(at index: Int) -> Bool {
        guard index < words.count else { return false }
        return Lexicon.colours[words[index].core] != nil || Lexicon.sizes[words[index].core] != nil
    }

    private mutating func readOther(_ word: String) {
        settle()
        switch word {
        case "no": isDenied = true
        case "not", "or", "maybe", "without", "isn't", "aren't": isHedged = true
        default:
            if let value = Lexicon.counts[word] { count = value }
            let next = position + 1 < words.count ? words[position + 1].core : ""
            // "a beach ball" is a ball.
            if let value = Lexicon.contexts[word], Lexicon.categories[next] == nil { context = value }
        }
    }

    private mutating func name(_ category: Category) {
        var claim = Claim(category: category, noun: position)
        claim.colour = colour?.value
        claim.colourWord = colour?.word
        claim.size = size?.value
        claim.sizeWord = size?.word
        claim.count = count
        claim.isDenied = isDenied
        if let place {
            claim.row = place.row
            claim.column = place.column
            claim.placeWords = place.words
        }
        claims.append(claim)
        let new = claims.count - 1
        if let pending = relation {
            if let subject = pending.subject {
                relations.append(
                    RelationClaim(
                        subject: subject, object: new, relation: pending.value, words: pending.words))
                relation = nil
            } else if new > 0 {
                // "Above the dog is the car": the second noun is the subject.
                relations.append(
                    RelationClaim(
                        subject: new, object: new - 1, relation: pending.value, words: pending.words))
                relation = nil
            }
        }
        (colour, size, count, isDenied, place) = (nil, nil, nil, false, nil)
    }

    /// Adjectives without a noun behind them belong to the noun before: "the car is red".
    private mutating func settle() {
        guard !claims.isEmpty else { return }
        let last = claims.count - 1
        if let colour, claims[last].colour == nil {
            claims[last].colour = colour.value
            claims[last].colourWord = colour.word
        }
        if let size, claims[last].size == nil {
            claims[last].size = size.value
            claims[last].sizeWord = size.word
        }
        (colour, size) = (nil, nil)
    }

    private mutating func relate(_ value: Relation, upTo end: Int) {
        settle()
        var start = position
        // The words that a relation's phrase brings along, so that another can be put in their place.
        for leading in ["the", "to"]
        where start > 0 && words[start - 1].core == leading
            && (value == .leftOf || value == .rightOf)
        { start -= 1 }
        relation = (value, claims.isEmpty ? nil : claims.count - 1, start..<end)
        position = end
    }

    private mutating func locate() {
        settle()
        let start = position
        var row: Row?
        var column: Column?
        while position < words.count {
            let word = words[position].core
            if let value = Lexicon.rows[word] {
                row = value
            } else if let value = Lexicon.columns[word] {
                column = value
            } else if word != "side" && word != "corner" {
                break
            }
            position += 1
            if words[position - 1].endsPhrase { break }
        }
        if let value = relationEnding(row: row, column: column) {
            position = start
            relate(value, upTo: end(ofGroupAt: start))
            return
        }
        // A bare "middle" or "center" is the cell in the middle; a bare "top" or "left" leaves the rest open.
        if position - start == 1, row == .middle || column == .center { (row, column) = (.middle, .center) }
        let found = (row: row, column: column, words: start..<position)
        if let last = claims.indices.last, claims[last].placeWords == nil, claims[last].noun < start {
            claims[last].row = row
            claims[last].column = column
            claims[last].placeWords = found.words
        } else {
            place = found
        }
    }

    /// "left of the dog", "on top of the dog" relate; "left of the image" locates.
    private func relationEnding(row: Row?, column: Column?) -> Relation? {
        guard position < words.count, words[position].core == "of" else { return nil }
        let next = words[(position + 1)...].first { !["the", "this", "a"].contains($0.core) }
        if let next, Lexicon.frames.contains(next.core) || Lexicon.contexts[next.core] != nil { return nil }
        switch (row, column) {
        case (nil, .left?): return .leftOf
        case (nil, .right?): return .rightOf
        case (.top?, nil): return .above
        default: return nil
        }
    }

    private func end(ofGroupAt start: Int) -> Int {
        (words[start...].firstIndex { $0.core == "of" } ?? start) + 1
    }
}
