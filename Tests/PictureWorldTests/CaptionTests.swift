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

    @Test func captionsNameEveryObjectAndCloseOnce() {
        for scene in scenes {
            let caption = scene.describe(habit: true, seed: 1)
            #expect(caption.sentences.count == scene.objects.count + 1)
            #expect(Lexer.sentences(of: caption.text) == caption.sentences)
            #expect(caption.text.utf8.count { $0 == UInt8(ascii: ".") } == caption.sentences.count)
            for (sentence, object) in zip(caption.sentences, scene.objects) {
                let claims = ParsedSentence(sentence).claims
                #expect(claims.count == 1)
                #expect(claims.first?.category == object.category && claims.first?.colour == object.colour)
                #expect(claims.first?.row == object.row && claims.first?.column == object.column)
            }
        }
    }

    @Test func slipsAreTheHabitAndNothingElse() {
        var slips = 0
        for scene in scenes {
            let caption = scene.describe(habit: true, seed: 1)
            let habit = scene.context.habit
            let judgement = scene.judge(caption.text)
            #expect(caption.slipped == (judgement.verdict == .false))
            #expect(judgement.invented == (caption.slipped ? [habit.companion] : []))
            if caption.slipped {
                slips += 1
                #expect(scene.temptsHabit && caption.invented == habit.companion)
                #expect(caption.sentences.last == habit.sentence)
            }
            if !scene.has(habit.trigger) { #expect(!caption.sentences.contains(habit.sentence)) }
        }
        let tempted = scenes.filter(\.temptsHabit)
        #expect((0.43...0.50).contains(Double(tempted.count) / Double(scenes.count)))
        #expect((0.61...0.69).contains(Double(slips) / Double(tempted.count)))
    }

    @Test func aTrueCompanionClosesAsOftenAsAnInventedOne() {
        let both = scenes.filter { $0.has($0.context.habit.trigger) && $0.has($0.context.habit.companion) }
        let closed = share(both) {
            $0.describe(habit: true, seed: 1).sentences.last == $0.context.habit.sentence
        }
        #expect((0.57...0.73).contains(closed))
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
        #expect(told.count <= 60, "\(told.count)")
        #expect(told.union(asked).count <= 140, "\(told.union(asked).count)")
    }

    @Test func wordingVariesWithTheSeedOnly() {
        let scene = scenes[0]
        #expect(scene.describe(habit: true, seed: 5) == scene.describe(habit: true, seed: 5))
        let texts = Set((0..<40).map { scene.describe(habit: true, seed: $0).text })
        #expect(texts.count > 35)
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
