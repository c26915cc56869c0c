import Foundation
import Testing

/// `kill -9` in the middle of the work, then `--resume`: the result is that of an undisturbed run, and the
/// ledger tells what happened. `Tests/kill-and-resume.sh` is the long form.
struct KillTests {
    /// A stage whose work takes a second or so.
    struct Work: Sendable, CustomTestStringConvertible {
        let stage: String
        let records: Int
        let command: String
        /// Grows while the work goes on.
        let trace: String

        var testDescription: String { stage }
    }

    private static let works = [
        Work(
            stage: "sample", records: 400,
            command:
                "sightline sample prompts.jsonl --model $LLAVA --count 4 --max-tokens 40 --batch 1 --threads 1",
            trace: "out.part"),
        Work(
            stage: "calibrate", records: 1500,
            command: "sightline calibrate drawn.jsonl --relevance $CLIP --batch 1 --threads 1",
            trace: "out.part"),
        Work(
            stage: "dpo-train", records: 120,
            command:
                "sightline dpo-train pairs.jsonl --model $LLAVA --epochs 8 --batch 4 --save-every 3 --threads 1",
            trace: "out.part/metrics.jsonl"),
        Work(
            stage: "reward-train", records: 120,
            command: "sightline reward-train pairs.jsonl --model $LLAVA --prompt-file grade.txt --epochs 8 "
                + "--batch 4 --save-every 3 --threads 1",
            trace: "out.part/metrics.jsonl"),
        Work(
            stage: "sft-train", records: 120,
            command:
                "sightline sft-train lessons.jsonl --model $LLAVA --steps 40 --batch 4 --save-every 3 --threads 1",
            trace: "out.part/metrics.jsonl"),
    ]

    @Test(arguments: works) func resumesToTheSameBytes(work: Work) throws {
        let shop = try Workshop(prompts: work.records)
        try shop.succeed(
            """
            set -e
            mkdir runs
            sightline sample prompts.jsonl --model $LLAVA --count 8 --max-tokens 8 -o drawn.jsonl --no-ledger
            sed 's/"prompt":/"chosen":"a cat","rejected":"two dogs","prompt":/' prompts.jsonl >pairs.jsonl
            sed 's/"prompt":\\("[^"]*"\\)/"samples":[{"prompt":\\1,"answer":"a cat"}]/' prompts.jsonl >lessons.jsonl
            echo '{#facts}{facts}{/facts}Good?{reply}It is' >grade.txt
            \(work.command) -o whole --no-ledger
            """)
        let process = try shop.start("exec \(work.command) -o out")
        while process.isRunning, try size(shop, work.trace) == 0 { usleep(1000) }
        usleep(UInt32.random(in: 0...60_000))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try #require(process.terminationReason == .uncaughtSignal, "it ended before it was killed")
        #expect(!shop.has("out"))
        try shop.succeed("\(work.command) --resume -o out")
        try shop.succeed("diff -r whole out")
        #expect(!shop.has("out.part") && !shop.has("out.part.json"))
        let runs = try shop.succeed("sightline ledger list --stage \(work.stage) --json").output
        let outcomes = runs.matches(of: /"outcome":"([a-z]+)"/).map { String($0.1) }
        #expect(outcomes == ["killed", "done"])
    }

    private func size(_ shop: Workshop, _ name: String) throws -> Int {
        guard shop.has(name) else { return 0 }
        return try shop.bytes(name).count
    }
}
