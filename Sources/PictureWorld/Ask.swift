import Random

extension Scene {
    /// `count` training questions of mixed kinds, by turns: two on existence in opposite answers, one each on
    /// existence or a claim, colour, position, number, something open, and a choice of two answers.
    /// Yes and no are equally frequent within each kind; questions on the habit's companion are truthful.
    ///
    /// - Parameters:
    ///   - existence: further questions on existence: a small model needs many before it looks for a thing
    ///     wherever it may be.
    ///   - choices: further choices of two answers, the lesson of a critic.
    package func ask(count: Int = 8, existence: Int = 0, choices: Int = 0, seed: UInt64) -> [Question] {
        var asker = Asker(scene: self, random: SplitMix64(seed: seed, purpose: "questions \(id)"))
        return (0..<count).map { asker.question($0 % 8) } + (0..<existence).map { _ in asker.existence() }
            + (0..<choices).map { _ in asker.choice() }
    }
}

private struct Asker {
    let scene: Scene
    var random: SplitMix64
    /// The answer of the first existence question, to be balanced by the second.
    var firstWasYes = false

    mutating func question(_ turn: Int) -> Question {
        switch turn {
        case 0: return companion()
        case 1: return existence(!firstWasYes)
        case 2: return random.chance(0.5) ? existence(random.chance(0.5)) : claim()
        case 3: return random.chance(0.5) ? color(random.chance(0.5)) : whatColor()
        case 4: return random.chance(0.6) ? position(random.chance(0.5)) : whereIs()
        case 5: return random.chance(0.5) ? number(random.chance(0.5)) : howMany()
        case 6: return open()
        default: return choice()
        }
    }

    /// The suffixes under which benchmarks ask; a third of the questions come bare, as POPE's file has them.
    private mutating func suffixed(_ text: String) -> String {
        switch random.below(3) {
        case 0: text
        case 1: "\(text) \(Wording.yesOrNo)"
        default: "\(text)\n\(Wording.singleWord)"
        }
    }

    /// A companion of the context, three times in four one whose trigger is here: there and absent are as
    /// frequent, so that no prior answers this question.
    private mutating func companion() -> Question {
        let applying = scene.habits.map(\.companion)
        let all = scene.context.habits.map(\.companion)
        let companion = pick(!applying.isEmpty && random.chance(0.75) ? applying : all)
        firstWasYes = scene.has(companion)
        return Question(.existence, suffixed(Wording.pope(companion)), firstWasYes)
    }

    mutating func existence() -> Question { existence(random.chance(0.5)) }

    private mutating func existence(_ isPresent: Bool) -> Question {
        firstWasYes = isPresent
        let category = isPresent ? pick(scene.categories) : absent()
        let text = random.chance(0.7) ? Wording.pope(category) : Wording.existence(category)
        return Question(.existence, suffixed(text), isPresent)
    }

    /// Six of ten absent things belong to the context: the absent ones that are hard to deny.
    private mutating func absent() -> Category {
        let all = Category.allCases.filter { !scene.has($0) }
        let likely = all.filter { $0.context == scene.context }
        return pick(!likely.isEmpty && random.chance(0.6) ? likely : all)
    }

    private mutating func claim() -> Question {
        let sentence = pick(scene.trueSentences(seed: random.next()))
        let kinds = random.shuffled(Falsehood.allCases)
        var false_: String?
        if random.chance(0.5) {
            for kind in kinds where false_ == nil {
                false_ = scene.falsify(sentence, kind, using: &random)
            }
        }
        let known = random.chance(0.5) ? "Reference: \(reference(told())) " : ""
        return Question(.claim, "\(known)Is this true? \(false_ ?? sentence)", false_ == nil)
    }

    private mutating func color(_ isRight: Bool) -> Question {
        let object = pick(scene.objects)
        let worn = scene.objects.filter { $0.category == object.category }.map(\.colour)
        let colour = isRight ? object.colour : pick(Colour.allCases.filter { !worn.contains($0) })
        return Question(.color, suffixed(Wording.color(object.category, colour)), isRight)
    }

    private mutating func whatColor() -> Question {
        scene.whatColor(&random)
    }

    private mutating func position(_ isRight: Bool) -> Question {
        let (a, b, relation) = scene.drawPair(&random)
        let asked = isRight ? relation : relation.opposite
        return Question(.position, suffixed(Wording.position(a.category, asked, b.category)), isRight)
    }

    private mutating func whereIs() -> Question {
        scene.whereIs(&random)
    }

    private mutating func number(_ isRight: Bool) -> Question {
        let (category, count) = scene.drawCounted(&random)
        let wrong = [1, 2, 3].filter { $0 != count }
        let asked = isRight ? count : pick(wrong)
        return Question(.count, suffixed(Wording.count(category, asked)), isRight)
    }

    private mutating func howMany() -> Question {
        let category = random.chance(0.15) ? absent() : scene.drawCounted(&random).category
        return scene.howMany(category)
    }

    private mutating func open() -> Question {
        switch random.below(4) {
        case 0: return whatColor()
        case 1: return whereIs()
        case 2: return scene.whatPlace
        default:
            let names = scene.categories.map { "\($0.article()) \($0.rawValue)" }
            return Question(.whichObjects, "Which objects are there?", names.joined(separator: ", "))
        }
    }

    /// Two captions or two single sentences, of which one is better. The reason comes before the number, as in
    /// SIMA's demonstrations, and judges sentence by sentence: of a number alone a small model learns nothing
    /// about where to look.
    mutating func choice() -> Question { choice(ofCaptions: random.chance(0.5)) }

    private mutating func choice(ofCaptions isCaption: Bool) -> Question {
        let told = told()
        let (better, worse) = isCaption ? captions(told) : sentences(told)
        let isFirst = random.chance(0.5)
        let answers = isFirst ? [better, worse] : [worse, better]
        let choice = Choice(
            question: isCaption ? pick(Wording.describe) : "Tell one thing about this image.",
            answers: answers.map { $0.joined(separator: " ") },
            reference: random.chance(0.9) ? reference(told) : nil, metrics: random.chance(0.5))
        let verdict = Choice.verdict(for: isFirst ? 1 : 2, findings: answers.map { $0.map(finding) })
        // A model of 512 tokens reads this many bytes beside a picture of 64; the few that are longer are drawn anew.
        guard choice.prompt.utf8.count + verdict.utf8.count <= 1_480 else {
            return self.choice(ofCaptions: isCaption)
        }
        return Question(.choice, choice.prompt, verdict)
    }

    /// What a sentence says, what is found where it looks, and whether that bears it out: "top left red car: red
    /// dog no", "kitchen: kitchen yes".
    private func finding(_ sentence: String) -> String {
        let parsed = ParsedSentence(sentence)
        let said = scene.verdict(on: parsed) == .false ? "no" : "yes"
        guard let claim = parsed.claims.first else {
            return "\(parsed.context?.rawValue ?? ""): \(scene.context.rawValue) \(said)"
        }
        // A size that isn't claimed isn't told, so that what bears a sentence out says the same.
        func phrase(_ category: Category, _ colour: Colour?, _ size: Size?) -> String {
            [claim.size.flatMap { _ in size?.rawValue }, colour?.rawValue, category.rawValue]
                .compactMap { $0 }.joined(separator: " ")
        }
        let claimed = phrase(claim.category, claim.colour, claim.size)
        let object =
            claim.placeWords == nil ? scene.best(for: claim) : scene.objects.first { $0.isPlaced(claim) }
        let found = object.map { phrase($0.category, $0.colour, $0.size) }
        let words = claim.placeWords.map { parsed.words[$0].map(\.core) } ?? []
        return "\((words + [claimed]).joined(separator: " ")): \(found ?? "nothing") \(said)"
    }

    /// A true caption.
    private mutating func told() -> [String] { scene.describe(habit: false, seed: random.next()).sentences }

    /// The known answer: in half the lessons in the words of what was told, since to find the one word that is
    /// another is what a small model learns first.
    private mutating func reference(_ told: [String]) -> String {
        let sentences =
            random.chance(0.5) ? told : self.told()
        return sentences.joined(separator: " ")
    }

    private mutating func sentences(_ told: [String]) -> (better: [String], worse: [String]) {
        let good = [pick(random.chance(0.5) ? told : self.told())]
        return (good, spoilt(good))
    }

    /// Whole captions or parts of them, three of ten in the same words but for what is false. Both may err, as a
    /// model's own answers do.
    private mutating func captions(_ told: [String]) -> (better: [String], worse: [String]) {
        var answers = [told, random.chance(0.3) ? told : self.told()]
        if random.chance(0.7) {
            // Two captions may differ in length: one tells a companion at its place as well.
            let shared = answers[0].indices.filter(answers[1].indices.contains)
            let part = random.shuffled(shared).prefix(2 + random.below(shared.count - 1)).sorted()
            answers = answers.map { answer in part.map { answer[$0] } }
        }
        answers = answers.map { answer in
            (0..<pick([0, 1, 1, 2, 2, 3])).reduce(answer) { answer, _ in spoilt(answer) }
        }
        if isBetter(answers[0], answers[1]) { return (answers[0], answers[1]) }
        if isBetter(answers[1], answers[0]) { return (answers[1], answers[0]) }
        return captions(told)
    }

    /// Less that is false is better, and of equally much what names more sizes: first fewer hallucinations, then
    /// more help, as Fact-RLHF's annotators were told.
    private func isBetter(_ answer: [String], _ other: [String]) -> Bool {
        func rank(_ sentences: [String]) -> (Int, Int) {
            let claims = sentences.flatMap { ParsedSentence($0).claims }
            return (falsehoods(sentences), -claims.count { $0.size != nil })
        }
        return rank(answer) < rank(other)
    }

    private func falsehoods(_ sentences: [String]) -> Int {
        sentences.count { scene.judge($0).verdict == .false }
    }

    /// One sentence more is false: by habit, or because it errs in object, colour or place.
    private mutating func spoilt(_ sentences: [String]) -> [String] {
        var sentences = sentences
        let remarks = sentences.indices.filter { ParsedSentence(sentences[$0]).claims.isEmpty }
        if let companion = random.pick(scene.tempting), let remark = random.pick(remarks), random.chance(0.6)
        {
            var teller = Teller(scene: scene, random: SplitMix64(seed: random.next(), purpose: "slip"))
            sentences[remark] = teller.inventBeside(companion)
            return sentences
        }
        let kinds: [Falsehood] =
            random.shuffled([.absentObject, .absentObject, .wrongColour, .wrongPlace, .wrongSize])
            + [.wrongContext]
        for index in random.shuffled(Array(sentences.indices)) {
            for kind in kinds {
                guard let worse = scene.falsify(sentences[index], kind, using: &random) else { continue }
                sentences[index] = worse
                return sentences
            }
        }
        return sentences
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[random.below(elements.count)]
    }
}

extension Scene {
    /// Objects that are the only ones of their category; there are at least two.
    var single: [SceneObject] {
        objects.filter { count(of: $0.category) == 1 }
    }

    /// Two objects that are the only ones of their kind, and a relation that holds.
    func drawPair(_ random: inout SplitMix64) -> (SceneObject, SceneObject, Relation) {
        let named = random.shuffled(single)
        let holding = Relation.allCases.filter { $0.holds(named[0].place, named[1].place) }
        return (named[0], named[1], holding[random.below(holding.count)])
    }

    /// A category to be counted; one that stands several times is preferred, or "one" would answer most.
    func drawCounted(_ random: inout SplitMix64) -> (category: Category, count: Int) {
        let several = categories.filter { count(of: $0) > 1 }
        let pool = !several.isEmpty && random.chance(0.8) ? several : categories
        let category = pool[random.below(pool.count)]
        return (category, count(of: category))
    }
}
