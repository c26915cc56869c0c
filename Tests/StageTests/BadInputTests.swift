import Foundation
import Testing

/// What is wrong is named, with its place; the exit code says what kind of failure it was; and nothing stands
/// half-written under the name of the result.
struct BadInputTests {
    @Test(arguments: BadInput.all) func isNamedAndLeavesNothing(_ bad: BadInput) throws {
        let shop = try Workshop(prompts: 4)
        if !bad.spoil.isEmpty { try shop.succeed(bad.spoil) }
        let ended = try shop.run(bad.command)
        #expect(ended.code == bad.code, "\(ended.errors)")
        for words in bad.says {
            #expect(ended.errors.contains(words), "\(words) is not in: \(ended.errors)")
        }
        // One line, unless it's a complaint about usage, which the parser explains in several.
        if bad.code != 64 { #expect(ended.errors.hasSuffix("\n")) }
        #expect(!ended.errors.contains("Fatal error"))
        #expect(!shop.has("out"))
    }

    @Test func carriageReturnsMarksAndEmptyLinesDoNoHarm() throws {
        let shop = try Workshop(prompts: 3)
        let command = "sightline sample --model $LLAVA --max-tokens 3"
        let plain = try shop.succeed("\(command) prompts.jsonl").output
        try shop.succeed(
            #"(printf '\xef\xbb\xbf'; sed 's/$/\r/' prompts.jsonl; printf '\r\n\n') >odd.jsonl"#)
        #expect(try shop.succeed("\(command) odd.jsonl").output == plain)
        #expect(plain.split(separator: "\n").count == 3)
    }

    @Test func emptyInputGivesEmptyOutput() throws {
        let shop = try Workshop()
        let ended = try shop.succeed(": >none.jsonl; sightline sample none.jsonl --model $LLAVA -o out")
        #expect(try shop.bytes("out").isEmpty)
        #expect(ended.errors.contains("no records"))
    }

    @Test func trainingOfClipLeavesOutWhatItMay() throws {
        let shop = try Workshop()
        try shop.succeed(
            """
            set -e
            sightline scenes --split train --count 8 --size 32 --kind clip -o scenes
            sed -n '1{s/"id":"/"id":"b/;s/images/nowhere/;p;}' scenes/clip.jsonl >bad.jsonl
            echo '{"id":"c","image":"pictures/picture-0.png"}' >>bad.jsonl
            """)
        let command = """
            sightline clip-train scenes/clip.jsonl bad.jsonl --image-root scenes --steps 1 --batch 4 --width 24 \
                --heads 2 --vision-layers 2 --image-size 32 --vocabulary 600 --text-layers 1 --projection 20 -o out
            """
        let refused = try shop.run("\(command) --skip-bad 1")
        #expect(refused.code == 1 && refused.errors.contains("bad.jsonl:2: "), "\(refused.errors)")
        let ended = try shop.run("\(command) --skip-bad 2")
        #expect(ended.code == 2 && ended.errors.contains("2 bad skipped"), "\(ended.errors)")
        #expect(shop.has("out/model.safetensors"))
    }

    @Test func allowedBadRecordsAreNamedCountedAndToldByTheExitCode() throws {
        let shop = try Workshop(prompts: 3)
        try shop.succeed(
            """
            sed -i '2s/picture-1/nowhere/' prompts.jsonl; echo torn >>prompts.jsonl
            """)
        let ended = try shop.run(
            "sightline sample prompts.jsonl --model $LLAVA --max-tokens 3 --skip-bad 2 -o out")
        #expect(ended.code == 2)
        #expect(ended.errors.contains("prompts.jsonl:2: ") && ended.errors.contains("prompts.jsonl:4: "))
        #expect(ended.errors.contains("4 records in, 2 out, 2 bad skipped"))
        #expect(try shop.lines("out").count == 2)
    }
}
