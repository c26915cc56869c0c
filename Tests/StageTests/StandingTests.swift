import Foundation
import Testing

/// What stands where a program is told to write: what Sightline made is replaced, anything else is refused and
/// stays, devices are written to and links followed.
struct StandingTests {
    private static let pair = #"{"id":"a","prompt":"p","chosen":"a cat","rejected":"two dogs"}"#

    /// Every program that writes a folder, with what it needs to get there.
    private static let folders = [
        "sightline eval --model $LLAVA --captions known.jsonl -o",
        "sightline eval blind --learn x --learn-captions x --apply y --captions y -o",
        "sightline sft-train lessons.jsonl --model $LLAVA --steps 1 --batch 1 -o",
        "sightline dpo-train pairs.jsonl --model $LLAVA -o",
        "sightline clip-train scenes/clip.jsonl --image-root scenes --steps 1 -o",
        "sightline reward-train pairs.jsonl --model $LLAVA --prompt-file grade.txt -o",
        "sightline merge --model $LLAVA --adapter $ADAPTER -o",
    ]

    private func shop() throws -> Workshop {
        let shop = try Workshop(prompts: 2)
        try shop.write(Self.pair + "\n", to: "pairs.jsonl")
        try shop.write("{#facts}{facts}{/facts}Good?{reply}It is", to: "grade.txt")
        return shop
    }

    @Test(arguments: folders) func aPersonsFolderIsRefused(command: String) throws {
        let shop = try shop()
        for (place, output) in [("out", "out"), ("out", "out/"), ("out.part", "out")] {
            try shop.succeed("rm -rf out out.part; mkdir \(place); echo mine >\(place)/notes.txt")
            for option in ["", " --dry-run"] {
                let ended = try shop.run("\(command) \(output)\(option)")
                #expect(ended.code == 1, "\(ended.errors)")
                #expect(
                    ended.errors.contains(
                        "\(place)/notes.txt: Sightline didn't make it, and to write \(output) would erase it; "
                            + "move it away"), "\(ended.errors)")
            }
            #expect(try shop.read("\(place)/notes.txt") == "mine\n")
        }
    }

    @Test func itsOwnFoldersAreReplacedAndStayLoadable() throws {
        let shop = try shop()
        try shop.succeed(
            """
            mkdir out.old; echo mine >out.old/notes.txt
            for i in 1 2; do sightline merge --model $LLAVA --adapter $ADAPTER -o out/; done
            sightline sample prompts.jsonl --model out --max-tokens 3 >/dev/null
            rm out/.sightline  # as an earlier version left it
            sightline merge --model $LLAVA --adapter $ADAPTER -o out
            """)
        #expect(try shop.read("out.old/notes.txt") == "mine\n")
        #expect(!shop.has("out.part") && !shop.has("out.part.lock"))
        // The model from elsewhere that it was made of is none of Sightline's.
        let refused = try shop.run(
            "cp -r $LLAVA own; chmod -R u+w own; sightline merge --model $LLAVA --adapter $ADAPTER -o own")
        #expect(refused.code == 1)
        #expect(shop.has("own/tokenizer.json"))
    }

    @Test func scenesReplaceOnlyTheirOwn() throws {
        let shop = try shop()
        let scenes = "sightline scenes --split dev --count 2 --kind prompts"
        try shop.succeed(
            """
            set -e
            mkdir book; echo mine >book/notes.txt
            \(scenes) -o book/; \(scenes) -o book; \(scenes.replacing("prompts", with: "clip")) -o book
            \(scenes) -o old; rm old/.sightline; \(scenes) -o old  # as an earlier version left it
            """)
        #expect(try shop.read("book/notes.txt") == "mine\n")
        for name in ["prompts.jsonl", "synonyms.txt", "images/dev-0-000001.png"] {
            try shop.succeed("rm -rf book; mkdir -p book/images; echo mine >book/\(name)")
            let refused = try shop.run("\(scenes) -o book")
            #expect(refused.code == 1)
            #expect(refused.errors.contains("book/\(name): Sightline didn't make it"), "\(refused.errors)")
            #expect(try shop.read("book/\(name)") == "mine\n")
            #expect(try shop.succeed("find book -type f | wc -l").output == "1\n")
        }
    }

    @Test func aPersonsPartIsRefused() throws {
        let shop = try shop()
        for (name, text) in [("x.part", "mine\n"), ("x.part.json", "{\"mine\":1}\n")] {
            try shop.succeed("rm -f x*")
            try shop.write(text, to: name)
            let refused = try shop.run("sightline export pairs.jsonl --to trl -o x")
            #expect(refused.code == 1)
            #expect(refused.errors.contains("\(name): Sightline didn't make it"), "\(refused.errors)")
            #expect(try shop.read(name) == text)
            #expect(try shop.succeed("ls -d x*").output == "\(name)\n")
        }
        let folder = try shop.run("rm -f x*; mkdir x; sightline export pairs.jsonl --to trl -o x")
        #expect(folder.code == 1 && folder.errors.contains("x: can't write it: Is a directory; name a file"))
    }

    @Test func comparisonsReplaceOnlyTheirOwn() throws {
        let shop = try Workshop.withResults()
        let compare = "sightline eval compare base=scored --resamples 10 -o"
        try shop.succeed("for i in 1 2; do \(compare) there/summary.json; done")
        for name in ["json", "md"] {
            try shop.succeed("rm -rf there; mkdir there; echo mine >there/comparison.\(name)")
            let refused = try shop.run("\(compare) there/summary.json")
            #expect(refused.code == 1)
            #expect(refused.errors.contains("there/comparison.\(name): eval compare didn't write it"))
            #expect(try shop.read("there/comparison.\(name)") == "mine\n")
            #expect(!shop.has("there/summary.json"))
        }
        // What it reads is nothing that it wrote either.
        let scores = try shop.bytes("scored/scores.json")
        for option in ["-o", "--plot"] {
            let refused = try shop.run(
                "sightline eval compare base=scored --resamples 10 \(option) scored/scores.json")
            #expect(refused.code == 1 && refused.errors.contains("scores.json: eval compare didn't write it"))
            #expect(try shop.bytes("scored/scores.json") == scores)
        }
        for names in ["-o x --plot x", "-o comparison.json", "-o y --plot ./comparison.md"] {
            let refused = try shop.run("sightline eval compare base=scored --resamples 10 \(names)")
            #expect(
                refused.code == 64 && refused.errors.contains("two outputs would go there"),
                "\(refused.errors)")
        }
    }

    /// What a kill leaves between the writing of a picture and its naming goes with the next run; others' files stay.
    @Test func residueOfAKillIsSwept() throws {
        let shop = try Workshop()
        try shop.succeed(
            """
            mkdir -p book/images
            touch book/images/.dev-0-000000.png.0F8C1E4A-2B3C-4D5E-8F90-A1B2C3D4E5F6.part book/images/.mine.part
            sightline scenes --split dev --count 2 -o book
            """)
        let names = try FileManager.default.contentsOfDirectory(atPath: shop.file("book/images")).sorted()
        #expect(names == [".mine.part", "dev-0-000000.png", "dev-0-000001.png"])
    }
}
