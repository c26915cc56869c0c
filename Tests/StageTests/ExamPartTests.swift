import Foundation
import Testing

/// Answers to benchmarks that were interrupted, or asked for in shards, are those of one run.
struct ExamPartTests {
    private static let command =
        "sightline eval --model $LLAVA --pope questions.jsonl --naturalbench groups.jsonl --image-root shown "
        + "--answer-tokens 40 --batch 2 --threads 1"

    /// Questions about copies of the oracle's pictures, two for each, and groups of two pictures.
    private func write(_ shop: Workshop, pictures: Int) throws {
        var (questions, groups) = ("", "")
        for number in 0..<pictures {
            for (index, object) in ["dog", "car"].enumerated() {
                questions +=
                    #"{"id":"\#(2 * number + index)","image":"\#(number).png","split":"random","#
                    + #""text":"Is there a \#(object) in the image?","label":"\#(index == 0 ? "yes" : "no")"}"#
                    + "\n"
            }
            guard number % 2 == 1 else { continue }
            let truths = ["0_Question_0", "1_Question_0", "0_Question_1", "1_Question_1"].enumerated().map {
                #""Image_\#($1)":"\#([0, 3].contains($0) ? "Yes" : "No")""#
            }
            groups +=
                #"{"Index":\#(number),"Question_0":"Is it \#(number)?","Question_1":"Is it not \#(number)?","#
                + #""Image_0":"\#(number - 1).png","Image_1":"\#(number).png","Question_Type":"yes_no","#
                + truths.joined(separator: ",") + "}\n"
        }
        try shop.write(questions, to: "questions.jsonl")
        try shop.write(groups, to: "groups.jsonl")
        try shop.succeed(
            """
            mkdir shown
            for i in {0..\(pictures - 1)}; do cp pictures/picture-$((i % 4)).png shown/$i.png; done
            """)
    }

    /// All but the seconds that it took.
    private func scores(_ shop: Workshop, _ folder: String) throws -> String {
        let text = try shop.read("\(folder)/scores.json")
        #expect(text.contains(/"seconds":[0-9]/))
        return text.replacing(/"seconds":[^,]*/, with: "")
    }

    private func stop(_ shop: Workshop, by number: Int32) throws {
        let process = try shop.start("exec \(Self.command) -o out")
        let part = "out.part/done.jsonl.part"
        while process.isRunning, try !shop.has(part) || shop.bytes(part).isEmpty { usleep(1000) }
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        let isStopped =
            number == SIGKILL
            ? process.terminationReason == .uncaughtSignal : process.terminationStatus == 128 + number
        let errors = try shop.read(".err")
        try #require(isStopped, "it ended before it was stopped: \(errors)")
        #expect(!shop.has("out") && shop.has(part) && shop.has("out.part/done.jsonl.part.json"))
    }

    @Test(arguments: [SIGKILL, SIGTERM]) func aStoppedRunIsResumed(by number: Int32) throws {
        let shop = try Workshop()
        try write(shop, pictures: 60)
        try shop.succeed("\(Self.command) -o whole")
        try stop(shop, by: number)
        let kept = try shop.lines("out.part/done.jsonl.part").count
        let ended = try shop.succeed(
            "mv questions.jsonl again.jsonl; \(Self.command.replacing("questions.", with: "again.")) --batch 5 --resume -o out"
        )
        #expect(kept > 0 && ended.errors.contains("continuing after "), "\(ended.errors)")
        try shop.succeed(
            "mv out/answers/again.jsonl out/answers/questions.jsonl; diff -r whole/answers out/answers")
        #expect(try scores(shop, "whole") == scores(shop, "out"))
        #expect(!shop.has("out.part"))
        #expect(try shop.succeed("ls -A out").output == ".sightline\nanswers\nscores.json\n")
    }

    @Test func anotherRunsPartIsRefused() throws {
        let shop = try Workshop()
        try write(shop, pictures: 60)
        try stop(shop, by: SIGTERM)
        for (change, says) in [
            ("--suffix ' Yes or no?'", "--suffix was not set and is  Yes or no?"),
            ("--limit 50", "--limit was not set and is 50"),
            ("--shard 1/2", "--shard was not set and is 1/2"),
            ("--model $TIED", "the model policy differs"),
        ] {
            let ended = try shop.run("\(Self.command) \(change) --resume -o out")
            #expect(ended.code == 1 && ended.errors.contains("another run made it: "), "\(ended.errors)")
            #expect(ended.errors.contains(says), "\(ended.errors)")
        }
        try shop.succeed("sed -i '$d' questions.jsonl")
        let ended = try shop.run("\(Self.command) --resume -o out")
        #expect(ended.code == 1 && ended.errors.contains("input 1 has changed"), "\(ended.errors)")
        let anew = try shop.succeed("\(Self.command) --limit 4 -o out")
        #expect(anew.errors.contains("started over; --resume would have continued it"), "\(anew.errors)")
    }

    @Test func shardsAreOneRun() throws {
        let shop = try Workshop()
        try write(shop, pictures: 8)
        let score = "sightline eval --pope questions.jsonl --naturalbench groups.jsonl"
        try shop.succeed(
            """
            set -e
            \(Self.command) -o whole
            for k in 1 2 3; do \(Self.command) --shard $k/3 -o shard-$k; done
            \(score) --answers shard-2 shard-1 shard-3 -o merged
            diff -r whole/answers merged/answers
            cat shard-?/answers/questions.jsonl | sort >all; sort whole/answers/questions.jsonl | cmp - all
            \(score) --answers whole -o first; \(score) --answers shard-?/answers -o second
            diff -r first second
            """)
        #expect(try scores(shop, "whole") == scores(shop, "merged"))
        #expect(try shop.succeed("ls -A shard-1").output == ".sightline\nanswers\nshard.json\n")
        let first = try shop.lines("shard-1/answers/questions.jsonl")
        #expect(first.count == 6 && first[2].contains(#""image":"3.png""#), "\(first)")
        for (places, says) in [
            ("shard-1 shard-3", "--answers: 1 of 3 shards are missing, the first is 2/3; "),
            ("shard-1 shard-2 shard-3 shard-3", "--answers: 4 folders for 3 shards; "),
            ("shard-1 whole", "whole: no shard, and shard-1 is one; "),
            ("shard-1/answers shard-2/answers", "of 16 questions of questions.jsonl have no answer"),
            ("whole shard-1/answers", "a second answer to question "),
        ] {
            let ended = try shop.run("\(score) --answers \(places) -o out")
            #expect(ended.code == 1 && ended.errors.contains(says) && !shop.has("out"), "\(ended.errors)")
        }
        try shop.succeed(
            "\(Self.command) --shard 2/4 -o other; \(Self.command) --model $TIED --shard 2/3 -o tied")
        for (second, says) in [
            ("other", "other: shard 2/4"), ("tied", "tied: its answers are another model's"),
        ] {
            let ended = try shop.run("\(score) --answers shard-1 \(second) shard-3 -o out")
            #expect(ended.code == 1 && ended.errors.contains(says), "\(ended.errors)")
        }
    }

    @Test func whatCannotBeAShardIsRefused() throws {
        let shop = try Workshop(prompts: 2)
        try write(shop, pictures: 4)
        for (typed, says) in [
            ("\(Self.command) --shard 5/5", "there are 4 pictures"),
            ("\(Self.command) --limit 2 --shard 3/3", "there are 2 pictures"),
            ("\(Self.command) --shard 3/2", "--shard"),
            ("\(Self.command) --captions prompts.jsonl --habit --shard 1/2", "leave out --shard or --habit"),
            ("sightline eval --answers a --pope questions.jsonl --shard 1/2", "--shard"),
            ("sightline eval --answers a --pope questions.jsonl --resume", "--resume"),
        ] {
            let ended = try shop.run("\(typed) -o out")
            #expect(ended.code == 64 && ended.errors.contains(says), "\(ended.errors)")
        }
    }

    /// Names, files, source and license of each, for people and for programs.
    @Test func theListIsReadByPrograms() throws {
        let shop = try Workshop()
        let table = try shop.succeed("sightline eval list").output.split(separator: "\n")
        let lines = try shop.succeed("sightline eval list --json").output.split(separator: "\n")
        #expect(table.count == lines.count + 1)
        for (row, line) in zip(table.dropFirst(), lines) {
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let object = try #require(value as? [String: String])
            #expect(Set(object.keys) == ["name", "files", "source", "license"])
            #expect(object.values.allSatisfy { !$0.isEmpty && row.contains($0) }, "\(row)")
        }
    }
}
