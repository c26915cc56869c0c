import PictureWorld
import Testing

@Suite struct QuestionTests {
    let scenes = sampleScenes(3000)

    @Test func yesAndNoAreBalancedWithinEachKind() {
        let asked = scenes.flatMap { $0.ask(seed: 1) }
        for kind in [Question.Kind.existence, .count, .color, .position, .claim] {
            let answers = asked.filter { $0.kind == kind }
            #expect(answers.allSatisfy(\.isYesNo) && answers.count > 500)
            #expect((0.46...0.54).contains(share(answers) { $0.answer == "Yes" }), "\(kind)")
        }
        #expect(Set(asked.map(\.kind)) == Set(Question.Kind.allCases))
        #expect(asked.count == 8 * scenes.count)
    }

    @Test func questionsOnTheCompanionNeedALook() {
        for context in Context.allCases {
            for habit in context.habits {
                let asked = scenes.filter { $0.context == context && $0.has(habit.trigger) }.flatMap {
                    scene in
                    scene.ask(seed: 1).filter {
                        $0.kind == .existence && $0.prompt.contains(" \(habit.companion.rawValue) ")
                    }
                }
                #expect(asked.count > 100)
                #expect((0.35...0.65).contains(share(asked) { $0.answer == "Yes" }), "\(habit.companion)")
            }
        }
    }

    @Test func answersAreTrue() throws {
        for scene in scenes.prefix(1500) {
            for question in scene.ask(seed: 2) {
                let text = question.prompt
                let named = Category.mentions(in: text)
                switch question.kind {
                case .existence:
                    #expect(scene.has(try #require(named.first)) == (question.answer == "Yes"), "\(text)")
                case .claim:
                    let parts = text.components(separatedBy: "Is this true? ")
                    let sentence = try #require(parts.last)
                    if let known = parts[0].wholeMatch(of: #/Reference: (.*) /#) {
                        #expect(scene.judge(String(known.1)).verdict == .true, "\(text)")
                    }
                    #expect((scene.judge(sentence).verdict == .true) == (question.answer == "Yes"), "\(text)")
                case .color, .count:
                    // Read as a statement, the question says what it asks.
                    let claim = ParsedSentence(String(text.prefix { $0 != "?" }))
                    #expect((scene.judge(claim).verdict == .true) == (question.answer == "Yes"), "\(text)")
                case .whatColor:
                    let claim = "The \(try #require(named.first).rawValue) is \(question.answer)."
                    #expect(scene.judge(claim).verdict == .true)
                case .howMany:
                    let count = scene.count(of: try #require(named.first))
                    #expect(["zero", "one", "two", "three"][count] == question.answer)
                case .whereIs:
                    let thing = text.dropFirst("Where is ".count).dropLast()
                    #expect(scene.judge("\(thing) is \(question.answer).").verdict == .true, "\(text)")
                case .whichObjects:
                    #expect(Category.mentions(in: question.answer) == scene.categories)
                case .whatPlace:
                    #expect(question.answer == "a \(scene.context.rawValue)")
                case .position:
                    let a = try #require(scene.objects.first { $0.category == named.first })
                    let b = try #require(scene.objects.first { $0.category == named.last })
                    let relation: Relation =
                        text.contains("above")
                        ? .above
                        : text.contains("below") ? .below : text.contains("left") ? .leftOf : .rightOf
                    #expect(relation.holds(a.place, b.place) == (question.answer == "Yes"), "\(text)")
                case .choice: break
                }
            }
        }
    }

    /// Both answers may err, as a model's own do; the better one less, or it tells more.
    @Test func choicesSetTheBetterAnswerAgainstTheOther() throws {
        let choices = scenes.flatMap { scene in
            scene.ask(choices: 1, seed: 2).filter { $0.kind == .choice }.map { (scene, $0) }
        }
        #expect(choices.count == 2 * scenes.count)
        var (referenced, measured, captions, flawless, level) = (0, 0, 0, 0, 0)
        for (scene, choice) in choices {
            let parts = try #require(
                choice.prompt.wholeMatch(
                    of:
                        /(Compare .*\. )?Question: .*?[.?](?: Reference: (.*))? Answer 1: (.*) Answer 2: (.*) Which answer is better, 1 or 2\?/
                ))
            let answers = [String(parts.3), String(parts.4)].map { Lexer.sentences(of: $0) }
            let verdict = try #require(
                choice.answer.wholeMatch(of: /Answer 1: (.*)\. Answer 2: (.*)\. Better: \[\[([12])\]\]/))
            var falsehoods = [0, 0]
            for (index, findings) in [verdict.1, verdict.2].enumerated() {
                let findings = findings.split(separator: ", ")
                #expect(findings.count == answers[index].count)
                for (finding, sentence) in zip(findings, answers[index]) {
                    let isFalse = scene.judge(sentence).verdict == .false
                    falsehoods[index] += isFalse ? 1 : 0
                    let said = try #require(finding.wholeMatch(of: /(.*): (.*) (yes|no)/), "\(finding)")
                    #expect((said.3 == "no") == isFalse && said.1.hasSuffix(said.2) != isFalse, "\(finding)")
                    #expect(said.1.split(separator: " ").allSatisfy { sentence.contains($0) }, "\(finding)")
                }
            }
            let better = verdict.3 == "1" ? 0 : 1
            if falsehoods[0] == falsehoods[1] {
                level += 1
                let sizes = answers.map { $0.joined().matches(of: /small|medium|large/).count }
                #expect(sizes[better] > sizes[1 - better], "\(choice.prompt)")
            } else {
                #expect(falsehoods[better] < falsehoods[1 - better], "\(choice.prompt)")
            }
            if falsehoods[better] == 0 { flawless += 1 }
            if parts.1 != nil { measured += 1 }
            if let reference = parts.2 {
                referenced += 1
                #expect(scene.judge(String(reference)).verdict == .true)
            }
            if answers[0].count > 1 { captions += 1 }
        }
        func shareOf(_ count: Int) -> Double { Double(count) / Double(choices.count) }
        #expect((0.48...0.52).contains(share(choices) { $0.1.answer.hasSuffix("[[1]]") }))
        #expect((0.87...0.93).contains(shareOf(referenced)))
        #expect((0.47...0.53).contains(shareOf(measured)))
        #expect((0.47...0.53).contains(shareOf(captions)))
        #expect((0.6...0.8).contains(shareOf(flawless)))
        #expect((0.07...0.15).contains(shareOf(level)))
    }

    @Test func popeAsksThreeAndThree() {
        let statistics = Cooccurrence(scenes)
        for scene in scenes.prefix(1000) {
            let asked = PopeQuestion.Split.allCases.map { scene.popeQuestions($0, statistics, seed: 1) }
            for questions in asked {
                #expect(questions.map(\.label) == ["yes", "no", "yes", "no", "yes", "no"])
                #expect(questions.allSatisfy { scene.has($0.category) == ($0.label == "yes") })
                #expect(Set(questions.map(\.category)).count == 6)
                #expect(questions.allSatisfy { Category.mentions(in: $0.text) == [$0.category] })
            }
            let positives = Set(asked.map { $0.filter { $0.label == "yes" }.map(\.text) })
            #expect(positives.count == 1)
        }
    }

    @Test func popularAndAdversarialNegativesAreTheHardOnes() {
        let statistics = Cooccurrence(scenes)
        let own = { (split: PopeQuestion.Split) in
            let negatives = scenes.flatMap { scene in
                scene.popeQuestions(split, statistics, seed: 1).filter { $0.label == "no" }
                    .map { $0.category.context == scene.context }
            }
            return share(negatives) { $0 }
        }
        #expect(own(.adversarial) > own(.random) + 0.2)
        // The most frequent absent category of all leads the popular negatives.
        let counts = Category.allCases.map { category in (category, scenes.count { $0.has(category) }) }
        for scene in scenes.prefix(200) {
            let negatives = scene.popeQuestions(.popular, statistics, seed: 1).filter { $0.label == "no" }
            let absent = counts.filter { !scene.has($0.0) }
            let best = absent.map(\.1).max()
            #expect(absent.first { $0.0 == negatives.first?.category }?.1 == best)
        }
    }

    @Test func mmeAsksEachTaskBothWays() throws {
        for scene in scenes.prefix(1000) {
            let questions = scene.mmeQuestions(seed: 1)
            let tasks = [
                "existence", "existence", "count", "count", "color", "color", "position", "position",
            ]
            #expect(questions.map(\.task) == tasks)
            #expect(questions.map(\.label) == ["yes", "no", "yes", "no", "yes", "no", "yes", "no"])
            #expect(questions.allSatisfy { $0.text.hasSuffix("? Please answer yes or no.") })
            for question in questions.prefix(6) {
                let claim = String(question.text.prefix { $0 != "?" })
                #expect(
                    (scene.judge(claim).verdict == .true) == (question.label == "yes"), "\(question.text)")
            }
        }
    }

    @Test func shortAnswersAreTrue() throws {
        var colors: Set<String> = []
        for scene in scenes.prefix(1000) {
            let asked = scene.textVQAQuestions(seed: 1)
            let (color, number) = (asked[0], asked[1])
            colors.insert(color.answer)
            let named = try #require(Category.mentions(in: color.prompt).first)
            #expect(scene.judge("The \(named.rawValue) is \(color.answer).").verdict == .true)
            let counted = try #require(Category.mentions(in: number.prompt).first)
            #expect(["zero", "one", "two", "three"][scene.count(of: counted)] == number.answer)

            let questions = scene.gqaQuestions(seed: 1)
            #expect(questions.map(\.answer).prefix(6) == ["yes", "no", "yes", "no", "yes", "no"])
            #expect(questions.map(\.semantic).prefix(6) == ["obj", "obj", "attr", "attr", "rel", "rel"])
            for question in questions.prefix(4) {
                let claim = ParsedSentence(String(question.text.prefix { $0 != "?" }))
                #expect((scene.judge(claim).verdict == .true) == (question.answer == "yes"), "\(question)")
            }
            let place = questions[6]
            let thing = place.text.dropFirst("Where is ".count).dropLast()
            #expect(scene.judge("\(thing) is \(place.answer).").verdict == .true, "\(place)")
            #expect(questions[7].answer == "a \(scene.context.rawValue)")
        }
        #expect(colors.count == Colour.allCases.count)
    }

    /// Over its rotations the right choice stands under every letter, and under none more often than under others.
    @Test func theRightChoiceGoesThroughAllLetters() {
        var first: [String: Int] = [:]
        for (index, scene) in scenes.enumerated() {
            let question = scene.mmbenchQuestion(number: index, seed: 1)
            #expect(Set(question.choices).count == 4 && question.choices.contains(question.answer))
            let turns = (0..<4).map(question.rotated)
            #expect(turns[0].choices == question.choices && Set(turns.map(\.letter)).count == 4)
            for turn in turns {
                let place = MMBenchQuestion.letters.firstIndex(of: turn.letter)
                #expect(place.map { turn.choices[$0] } == question.answer)
            }
            first[turns[0].letter, default: 0] += 1
        }
        #expect(first.count == 4 && first.values.allSatisfy { (680...820).contains($0) }, "\(first)")
    }
}
