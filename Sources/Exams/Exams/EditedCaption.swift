import Foundation

/// A caption of a known picture from which sentences are taken.
struct EditedCaption {
    let original: BlindCaption
    private let closing: String?
    /// Per sentence the objects that it names, by their number in this caption.
    private let named: [[Int]]
    private let isTrue: [Bool]
    /// Per object how many of the sentences left name it.
    private var told: [Int]
    private var isLeft: [Bool]
    /// The sentence in whose place the closing one stands.
    private var replaced: Int?
    /// Sentences left that name an object that isn't there.
    private(set) var falseSentences: Int
    let trueObjects: Int

    init(_ caption: BlindCaption, closing: String?, truth: Set<String>) {
        let objects = caption.objects.sorted()
        let numbers = Dictionary(uniqueKeysWithValues: objects.enumerated().map { ($1, $0) })
        let named = caption.sentences.map { $0.objects.compactMap { numbers[$0] }.sorted() }
        let isTrue = objects.map(truth.contains)
        original = caption
        self.closing = closing
        self.named = named
        self.isTrue = isTrue
        told = objects.indices.map { object in named.count { $0.contains(object) } }
        isLeft = named.map { _ in true }
        falseSentences = named.count { $0.contains { !isTrue[$0] } }
        trueObjects = truth.count
    }

    var covered: Int { told.indices.count { told[$0] > 0 && isTrue[$0] } }

    /// What goes with these sentences: how many there are, how many of them are false, and how many true objects
    /// nothing names then.
    mutating func losing(_ places: ArraySlice<SentencePlace>) -> (sentences: Int, false: Int, objects: Int) {
        var result = (sentences: 0, false: 0, objects: 0)
        for place in places where isLeft[place.sentence] {
            result.sentences += 1
            var isFalse = false
            for object in named[place.sentence] {
                told[object] -= 1
                if !isTrue[object] { isFalse = true } else if told[object] == 0 { result.objects += 1 }
            }
            if isFalse { result.false += 1 }
        }
        for place in places where isLeft[place.sentence] {
            for object in named[place.sentence] { told[object] += 1 }
        }
        return result
    }

    /// Whether the closing sentence can stand in the place of one taken out.
    var canClose: Bool {
        guard let closing, replaced == nil else { return false }
        return !original.sentences.contains { $0.text == closing }
    }

    /// - Returns: whether it was still there.
    mutating func take(_ sentence: Int, replacing: Bool) -> Bool {
        guard isLeft[sentence] else { return false }
        if replacing, canClose { replaced = sentence }
        isLeft[sentence] = false
        for object in named[sentence] { told[object] -= 1 }
        if named[sentence].contains(where: { !isTrue[$0] }) { falseSentences -= 1 }
        return true
    }

    /// To the byte the model's where nothing was taken.
    var text: String {
        if isLeft.allSatisfy({ $0 }) { return original.text }
        return isLeft.indices.compactMap { index in
            isLeft[index] ? original.sentences[index].text : index == replaced ? closing : nil
        }.joined(separator: " ")
    }
}

struct SentencePlace: Hashable {
    let caption: Int
    let sentence: Int
}

/// Captions that are edited together.
struct CaptionStock {
    private(set) var captions: [EditedCaption]
    private let views: [[SentenceView]]

    init(_ told: [(caption: BlindCaption, truth: Set<String>)], _ closings: ClosingSentences) {
        let likeliest = told.map { closings.likeliest(for: $0.caption) }
        captions = zip(told, likeliest).map { EditedCaption($0.caption, closing: $1, truth: $0.truth) }
        views = zip(told, likeliest).map { told, closing in
            told.caption.sentences.indices.map { SentenceView(told.caption, $0, closing: closing) }
        }
    }

    /// The sentences with objects; of the others there is nothing to be won.
    var sentences: [(place: SentencePlace, view: SentenceView)] {
        views.enumerated().flatMap { caption, views in
            views.enumerated().filter { !$1.sentence.objects.isEmpty }.map { sentence, view in
                (SentencePlace(caption: caption, sentence: sentence), view)
            }
        }
    }

    func places(of rule: BlindRule) -> [SentencePlace] {
        sentences.filter {
            $0.view.holds(rule.condition) && $0.view.sentence.patterns[rule.grain] == rule.pattern
        }.map(\.place)
    }

    mutating func losing(_ places: ArraySlice<SentencePlace>) -> (sentences: Int, false: Int, objects: Int) {
        captions[places[places.startIndex].caption].losing(places)
    }

    func canClose(_ places: [SentencePlace]) -> Bool { places.contains { captions[$0.caption].canClose } }

    /// - Returns: how many sentences were still there.
    mutating func take(_ places: [SentencePlace], replacing: Bool) -> Int {
        var taken = 0
        for place in places where captions[place.caption].take(place.sentence, replacing: replacing) {
            taken += 1
        }
        return taken
    }

    var score: BlindEdit.Score {
        let trueObjects = captions.reduce(0) { $0 + $1.trueObjects }
        let covered = captions.reduce(0) { $0 + $1.covered }
        let words = captions.reduce(0) { $0 + $1.text.split(whereSeparator: \.isWhitespace).count }
        let count = Double(max(captions.count, 1))
        return BlindEdit.Score(
            chairS: Double(captions.count { $0.falseSentences > 0 }) / count,
            objectRecall: Double(covered) / Double(max(trueObjects, 1)), meanWords: Double(words) / count)
    }
}

/// A sentence with what its caption tells of it.
struct SentenceView {
    let sentence: BlindCaption.Sentence
    private let others: Set<String>
    private let isLast: Bool
    private let closing: String?

    init(_ caption: BlindCaption, _ index: Int, closing: String?) {
        sentence = caption.sentences[index]
        others = caption.others(than: index)
        isLast = index == caption.sentences.count - 1
        self.closing = closing
    }

    func holds(_ condition: BlindCondition) -> Bool {
        switch condition {
        case .always: true
        case .toldElsewhere(let isTold): sentence.objects.isSubset(of: others) == isTold
        case .last(let isLast): self.isLast == isLast
        case .closing(let text): closing == text
        case .with(let object): others.contains(object)
        case .without(let object): !others.contains(object)
        }
    }
}
