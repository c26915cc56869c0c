import Foundation
import Testing

/// Outputs that are no files: devices are written to, links followed.
struct DeviceTests {
    /// Options that name a file to write beside the records, or instead of them.
    private static let files = [
        "sightline export pairs.jsonl --to trl -o",
        "sightline export pairs.jsonl --to trl --report",
        "sightline report run -o",
        "sightline eval compare base=scored --resamples 10 -o",
        "sightline eval compare base=scored --resamples 10 --plot",
        "sightline pair scored.jsonl --audit",
    ]

    @Test(arguments: files) func linksAreFollowed(command: String) throws {
        let shop = try Workshop.withResults()
        try shop.succeed("ln -s there/file link; for i in 1 2; do \(command) link || exit; done")
        #expect(try shop.succeed("readlink link").output == "there/file\n")
        #expect(try shop.succeed("find there -type f").output == "there/file\n")
    }

    @Test(arguments: files) func devicesAreWrittenTo(command: String) throws {
        let shop = try Workshop.withResults()
        try shop.succeed(
            """
            mkfifo pipe
            \(command) there/file
            (cat pipe >got) & \(command) pipe && wait && test -p pipe && cmp got there/file
            echo head >log && \(command) /dev/fd/3 3>>log && (echo head; cat there/file) | cmp - log
            """)
        // As root a device could be renamed over. This one is a node of its own.
        guard geteuid() == 0, try shop.run("mknod full c 1 7").code == 0 else { return }
        let full = try shop.run("\(command) full")
        #expect(
            full.code == 1 && full.errors.contains("No space left on device; free some"), "\(full.errors)")
        try shop.succeed("test -c full")
    }

    @Test(arguments: [
        "sightline export --to trl --print-config", "sightline export --help", "sightline ledger --help",
        "sightline", "sightline eval compare base=scored --resamples 10",
    ]) func aFullDiskBehindStandardOutputIsAnError(command: String) throws {
        let ended = try Workshop.withResults().run("\(command) >/dev/full")
        #expect(ended.code == 1)
        #expect(ended.errors.hasSuffix("No space left on device; free some disk space\n"), "\(ended.errors)")
    }
}

extension Workshop {
    /// One with pairs in `pairs.jsonl`, an evaluation in `scored`, scored answers in `scored.jsonl` and the folder
    /// of a run in `run`.
    static func withResults() throws -> Workshop {
        let shop = try Workshop(prompts: 2)
        try shop.write(
            #"{"id":"a","prompt":"p","chosen":"a cat","rejected":"two dogs"}"# + "\n", to: "pairs.jsonl")
        try shop.succeed(
            """
            set -e
            mkdir -p run/base there
            sightline scenes --split dev --count 2 --kind prompts -o s
            sightline eval --model $LLAVA --captions s/prompts.jsonl --image-root s --caption-tokens 4 -o scored
            echo '{"id":"a","prompt":"p","nodes":[],"candidates":[]}' >scored.jsonl
            """)
        return shop
    }
}
