import Foundation
import Testing

/// `--memory`: a rehearsal says what a program would take, and what doesn't fit is refused with the numbers.
@Suite struct MemoryTests {
    private static let pairs = (0...3).map {
        #"{"id":"\#($0)","image":"pictures/picture-\#($0).png","prompt":"What?","chosen":"A cat.","rejected":"A dog."}"#
    }
    private static let lessons = (0...3).map {
        #"{"id":"\#($0)","image":"pictures/picture-\#($0).png","samples":[{"prompt":"What?","answer":"A red cat."}]}"#
    }

    private func shop() throws -> Workshop {
        let shop = try Workshop()
        try shop.write(Self.pairs.joined(separator: "\n") + "\n", to: "pairs.jsonl")
        try shop.write(Self.lessons.joined(separator: "\n") + "\n", to: "lessons.jsonl")
        return shop
    }

    @Test(arguments: [
        "sample pairs.jsonl --model $LLAVA", "dpo-train pairs.jsonl --model $LLAVA",
        "sft-train lessons.jsonl --model $LLAVA --rank 2", "sft-train lessons.jsonl --model $LLAVA",
    ])
    func saysWhatItTakes(stage: String) throws {
        let shop = try shop()
        let told = try shop.succeed("sightline \(stage) --dry-run -o out")
        for said in ["memory: ", "weights 1 MiB", "time: about ", "4 pictures "] {
            #expect(told.errors.contains(said), "\(told.errors)")
        }
        let refused = try shop.run("sightline \(stage) --memory 90M -o out")
        #expect(
            refused.code != 0 && refused.errors.contains(" more than the 90 MiB of --memory; "),
            "\(refused.errors)")
    }

    /// How much is worked on at once doesn't limit how long a prompt may be.
    @Test(arguments: ["smolvlm", "qwen2-vl"]) func aBatchOfOneTakesAnyPrompt(family: String) throws {
        let shop = try shop()
        let words = String(repeating: "What is that? ", count: 20)
        try shop.write(
            (0...2).map {
                #"{"id":"\#($0)","image":"pictures/picture-\#($0).png","prompt":"\#(words)"}"# + "\n"
            }.joined(),
            to: "long.jsonl")
        try shop.succeed("sightline model random \(family) --size tiny -o tiny")
        for batch in [1, 3] {
            try shop.succeed(
                "sightline sample long.jsonl --model tiny --count 2 --max-tokens 5 --batch \(batch) -o \(batch).jsonl"
            )
        }
        try shop.succeed("cmp 1.jsonl 3.jsonl")
    }

    /// Less memory for the same adapter: layers are recomputed.
    @Test(arguments: [
        ("dpo-train pairs.jsonl --model $LLAVA --epochs 1 --hold-out 0 --batch 4", "369.9M"),
        ("sft-train lessons.jsonl --model $LLAVA --steps 2 --batch 4 --passes 1", "369.5M"),
    ])
    func theSameInLess(stage: String, memory: String) throws {
        let shop = try shop()
        try shop.succeed("sightline \(stage) --rank 2 -o all")
        let less = try shop.succeed("sightline \(stage) --rank 2 --memory \(memory) -o less")
        #expect(less.errors.contains("layers are recomputed"), "\(less.errors)")
        try shop.succeed("cmp all/adapter_model.safetensors less/adapter_model.safetensors")
    }
}
