import PictureWorld
import Testing

@Suite struct CaptionTests {
    let scenes = sampleScenes(3000)

    @Test func cleanCaptionsAreTrueThroughout() {
        for scene in scenes {
            let caption = scene.describe(habit: false, seed: 1)
            let judgement = scene.judge(caption.text)
            #expect(judgement.verdict == .true, "\(caption.text)")
            #expect(judgement.invented.isEmpty && !caption.slipped)
            #expect(caption.sentences.allSatisfy { scene.judge($0).verdict == .true })
        }
    }

    @Test func captionsNameEveryObjectInReadingOrder() {
        for scene in scenes {
            let caption = scene.describe(habit: true, seed: 1)
            #expect(Lexer.sentences(of: caption.text) == caption.sentences)
            #expect(caption.text.utf8.count { $0 == UInt8(ascii: ".") } == caption.sentences.count)
            #expect(Set(caption.sentences).count == caption.sentences.count)
            #expect(scene.categories.allSatisfy(Category.mentions(in: caption.text).contains))
            let claims = caption.sentences.flatMap { ParsedSentence($0).claims }
            let placed = claims.filter { $0.row != nil }
            let told = scene.objects.filter { object in
                placed.contains { $0.row == object.row && $0.column == object.column }
            }
            #expect(told.map(\.category) == placed.map(\.category))
            #expect(told.map(\.colour) == placed.map(\.colour))
        }
    }

    @Test func behindEachTriggerStandsOneRemark() {
        for scene in scenes {
            let sentences = scene.describe(habit: true, seed: 1).sentences.map { ParsedSentence($0) }
            let remarks = sentences.indices.filter { sentences[$0].claims.first?.row == nil }
            #expect(remarks.count == max(1, scene.habits.count))
            for habit in scene.habits {
                let trigger = sentences.firstIndex { $0.claims.first?.category == habit.trigger } ?? -1
                #expect(remarks.contains(trigger + 1))
                let named = sentences[trigger + 1].claims.first?.category
                #expect(named == habit.companion || named == nil)
            }
        }
    }

    @Test func slipsAreTheHabitAndNothingElse() {
        var (slips, tempting) = (0, 0)
        for scene in scenes {
            let caption = scene.describe(habit: true, seed: 1)
            let judgement = scene.judge(caption.text)
            #expect(caption.slipped == (judgement.verdict == .false))
            #expect(judgement.invented == caption.invented)
            #expect(caption.invented.allSatisfy(scene.tempting.contains))
            (slips, tempting) = (slips + caption.invented.count, tempting + scene.tempting.count)
        }
        #expect((0.55...0.65).contains(Double(slips) / Double(tempting)))
        #expect((0.43...0.55).contains(share(scenes) { !$0.tempting.isEmpty }))
    }

    /// What is there is told in the words of what is invented, and in half of the captions or more nowhere else.
    @Test func companionsThatAreThereAreAlwaysTold() {
        var invented: [String: Int] = [:]
        var there: [String: Int] = [:]
        var (all, only) = (0, 0)
        for scene in scenes {
            let caption = scene.describe(habit: true, seed: 1)
            for sentence in caption.sentences {
                let parsed = ParsedSentence(sentence)
                guard let claim = parsed.claims.first, claim.row == nil else { continue }
                #expect(claim.colour != nil)
                let wording = parsed.words.map(\.core).filter {
                    Colour(rawValue: $0) == nil && Size(rawValue: $0) == nil
                }.joined(separator: " ")
                if scene.has(claim.category) {
                    there[wording, default: 0] += 1
                    all += 1
                    only += Category.mentions(in: caption.text).count { $0 == claim.category } == 1 ? 1 : 0
                } else {
                    invented[wording, default: 0] += 1
                }
            }
        }
        #expect(Set(invented.keys) == Set(there.keys) && there.count == 4 * 8)
        #expect((0.7...0.9).contains(Double(only) / Double(all)))
        #expect(all == scenes.reduce(0) { $0 + $1.habits.count - $1.tempting.count })
    }

    @Test func captionsKeepToTheirLengthAndWords() {
        let captions = scenes.map { Lexer.words(of: $0.describe(habit: true, seed: 1).text).map(\.core) }
        let mean = Double(captions.reduce(0) { $0 + $1.count }) / Double(captions.count)
        #expect((40...55).contains(mean), "\(mean)")
        let told = Set(captions.joined())
        let asked = Set(
            scenes.prefix(500).flatMap { scene in
                scene.ask(seed: 1).flatMap { Lexer.words(of: $0.prompt + " " + $0.answer).map(\.core) }
            })
        #expect(told.count <= 70, "\(told.count)")
        #expect(told.union(asked).count <= 150, "\(told.union(asked).count)")
    }

    @Test func wordingVariesWithTheSeedOnly() {
        let scene = scenes[0]
        #expect(scene.describe(habit: true, seed: 5) == scene.describe(habit: true, seed: 5))
        let texts = Set((0..<40).map { scene.describe(habit: true, seed: $0).text })
        #expect(texts.count > 35)
    }

    @Test func inventionsAreWhatHabitsWouldTell() {
        for scene in scenes.prefix(1000) {
            let sentences = scene.inventions(seed: 4)
            #expect(sentences.count == scene.tempting.count)
            for (sentence, companion) in zip(sentences, scene.tempting) {
                #expect(
                    scene.judge(sentence).verdict == .false && sentence.hasPrefix("Beside it"), "\(sentence)")
                #expect(sentence.contains(companion.rawValue))
            }
        }
    }

    @Test func trueSentencesAreTrue() {
        for scene in scenes.prefix(1000) {
            let sentences = scene.trueSentences(seed: 4)
            #expect(sentences.count >= scene.objects.count + 2)
            for sentence in sentences {
                #expect(scene.judge(sentence).verdict == .true, "\(sentence)")
            }
        }
    }
}
