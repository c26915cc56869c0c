import Foundation
import Testing

/// `eval blind`: captions rewritten without a look at their pictures.
struct BlindTests {
    private static let blind =
        "sightline eval blind --learn dev --learn-captions dev.jsonl --apply test --captions test.jsonl"

    /// Twelve pictures with a bench, every sixth of them with the dog that all captions tell of.
    private func write(_ shop: Workshop, _ name: String, prefix: String) throws {
        let dogs = (0..<12).map { $0 % 6 == 0 }
        let prompts = dogs.enumerated().map { number, isThere in
            #"{"id":"\#(prefix)\#(number)","image":"\#(prefix)\#(number).png","prompt":"Describe.","facts":["#
                + #"{"kind":"object","text":"bench"}\#(isThere ? #",{"kind":"object","text":"dog"}"# : "")],"#
                + #""habits":[{"trigger":"bench","companion":"dog"}]}"# + "\n"
        }
        let question = "\"image\":\"\(prefix)0.png\",\"text\":\"Is there a dog in the image?\""
        try shop.write(prompts.joined(), to: "\(name).jsonl")
        try shop.write(
            "{\"id\":\"q\",\(question),\"label\":\"yes\",\"split\":\"popular\"}\n", to: "pope_\(name).jsonl")
        let answers = dogs.indices.map {
            #"{"question_id":"\#(prefix)\#($0)","text":"A bench is here. A dog waits nearby."}"# + "\n"
        }
        try shop.succeed("mkdir answers-\(name)")
        try shop.write(answers.joined(), to: "answers-\(name)/\(name).jsonl")
        try shop.write("{\"question_id\":\"q\",\"text\":\"Yes\"}\n", to: "answers-\(name)/pope_\(name).jsonl")
        try shop.succeed(
            "sightline eval --answers answers-\(name) --captions \(name).jsonl --pope pope_\(name).jsonl -o \(name)"
        )
    }

    private func workshop(test prefix: String = "t") throws -> Workshop {
        let shop = try Workshop()
        try write(shop, "dev", prefix: "d")
        try write(shop, "test", prefix: prefix)
        return shop
    }

    @Test func theControlIsAnEvaluationLikeAnyOther() throws {
        let shop = try workshop()
        let told = try shop.succeed("mkdir blind && \(Self.blind) --recall-loss 20 -o blind/eval").output
        #expect(told.contains("The edit: CHAIR_S 83.3 → 0.0 (100.0% of it won), object recall 100.0 → 85.7"))
        #expect(told.contains("a third of CHAIR_S for 14.3 points of recall"))
        #expect(try shop.lines("blind/eval/answers/test.jsonl")[0].contains(#""text":"A bench is here.""#))
        #expect(
            try shop.bytes("blind/eval/answers/pope_test.jsonl") == shop.bytes("test/answers/pope_test.jsonl")
        )
        #expect(try shop.read("blind/eval/edit.json").contains("waits nearby"))
        let table = try shop.succeed("sightline eval compare base=test blind=blind -o summary.json").output
        #expect(
            table.contains(
                "blind, companions: told where there 0% (base 100), where absent 0% (base 100): "
                    + "balanced accuracy 50 against 50; a rule that doesn't look has 50."))
        #expect(table.contains("POPE companion accuracy"))
        let summary = try JSONDecoder().decode(
            [String: [String: Double]].self, from: shop.bytes("summary.json"))
        #expect(summary["blind"]?["habit_balanced_accuracy"] == 0.5 && summary["base"]?["habit_kept"] == 1)
        let comparison = try shop.read("comparison.json")
        #expect(comparison.contains(#""trigger" : "bench""#) && comparison.contains(#""absent" : 10"#))
    }

    @Test func withinAPointNothingIsWon() throws {
        let shop = try workshop()
        try shop.succeed("\(Self.blind) -o blind")
        #expect(try !shop.read("blind/answers/test.jsonl").contains("A bench is here.\""))
    }

    @Test func whoLearnsFromTheTestIsRefused() throws {
        let shop = try workshop(test: "d")
        let ended = try shop.run("\(Self.blind) -o blind")
        #expect(ended.code == 1 && ended.errors.contains("dev.jsonl: the picture d0 is in test.jsonl too"))
        let without = try shop.run("sightline eval blind --apply test --captions test.jsonl -o blind")
        #expect(without.code == 64 && without.errors.contains("--learn"))
        #expect(!shop.has("blind"))
    }

    /// The folder that is written replaces what is there.
    @Test(arguments: [".", "test", "dev", "dev/answers", "link"]) func whatIsReadIsNotReplaced(output: String)
        throws
    {
        let shop = try workshop()
        try shop.succeed("ln -s test link")
        let before = try shop.succeed("find . | sort; cat test/scores.json").output
        let ended = try shop.run("\(Self.blind) -o \(output)")
        #expect(ended.code == 64 && ended.errors.contains("which is an input"), "\(ended.errors)")
        #expect(try shop.succeed("find . | sort; cat test/scores.json").output == before)
    }

    @Test func anEvaluationOfOtherHabitsIsRefused() throws {
        let shop = try workshop()
        try shop.succeed(#"sed -i 's/"habits":.*/"habits":[]}/' test.jsonl"#)
        let ended = try shop.run("\(Self.blind) -o blind")
        #expect(ended.code == 1 && ended.errors.contains("let eval score its answers on that file"))
        #expect(!shop.has("blind"))
    }
}
