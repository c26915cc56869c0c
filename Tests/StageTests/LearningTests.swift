import Foundation
import Testing

/// That a training moves something, and what is said where it doesn't.
struct LearningTests {
    /// Fewer pairs than a batch has make one step, and that is one of warm-up.
    @Test(arguments: [1, 10, 16]) func aHandfulOfPairsIsLearned(count: Int) throws {
        let shop = try Workshop(prompts: count)
        try shop.succeed(
            #"""
            sed 's/}$/,"chosen":"A cat.","rejected":"Two dogs on a mat."}/' prompts.jsonl >pairs.jsonl
            """#)
        let trained = try shop.succeed(
            "sightline dpo-train pairs.jsonl --model $LLAVA --rank 2 --hold-out 0 --quiet -o adapter")
        #expect(trained.errors.isEmpty, "\(trained.errors)")
        let metrics = try shop.lines("adapter/metrics.jsonl")
        #expect(metrics.count == 1 && metrics[0].contains("\"learning_rate\":0.0001}"), "\(metrics)")
        let merged = try shop.succeed("sightline merge --model $LLAVA --adapter adapter --quiet -o merged")
        #expect(merged.errors.isEmpty, "\(merged.errors)")
    }

    @Test func whatLearnedNothingIsNamed() throws {
        let shop = try Workshop()
        try shop.write(
            #"{"id":"0","image":"pictures/picture-0.png","samples":[{"prompt":"What?","answer":"A red dog."}]}"#
                + "\n",
            to: "lessons.jsonl")
        try shop.write(#"{"id":"a","image":"pictures/picture-0.png","prompt":"What?"}"# + "\n", to: "p.jsonl")
        let still = try shop.succeed(
            "sightline sft-train lessons.jsonl --model $LLAVA --rank 2 --steps 2 --learning-rate 0 --quiet -o still"
        )
        #expect(still.errors.hasPrefix("sft-train: 2 steps changed no weight: "), "\(still.errors)")
        let words = "still: this adapter changes nothing"
        for program in ["merge -o merged", "sample p.jsonl --max-tokens 2"] {
            let ended = try shop.succeed("sightline \(program) --model $LLAVA --adapter still --quiet")
            #expect(ended.errors.contains(words), "\(ended.errors)")
        }
    }
}
