import Foundation
import Testing

/// Outputs that would replace what is read, and numbers that no machine could do anything with.
struct TypedMistakesTests {
    @Test func noOutputReplacesAModelThatIsRead() throws {
        let shop = try Workshop(prompts: 3)
        try shop.succeed(
            """
            sed 's/}$/,"chosen":"A cat.","rejected":"Two dogs."}/' prompts.jsonl >pairs.jsonl
            sightline dpo-train pairs.jsonl --model $LLAVA --rank 2 --hold-out 0 --quiet -o a
            ln -s a link
            """)
        let before = try shop.bytes("a/adapter_model.safetensors")
        for (model, output) in [("a", "a"), ("a", "link"), ("link", "a"), ("$LLAVA --adapter a", "a/")] {
            let ended = try shop.run(
                "sightline dpo-train pairs.jsonl --model \(model) --hold-out 0 --quiet -o \(output)")
            #expect(ended.code == 64, "\(model) \(output): \(ended.errors)")
            #expect(ended.errors.contains("it would replace the model a, which is read") || model == "link")
        }
        #expect(try shop.bytes("a/adapter_model.safetensors") == before && !shop.has("a.part"))
    }

    @Test(arguments: [
        ("pair in.jsonl -o out --audit out", "--audit out: it would replace out"),
        ("pair in.jsonl -o out --audit ./in.jsonl", "--audit ./in.jsonl: it would replace in.jsonl"),
        ("export in.jsonl --to trl -o out --report in.jsonl", "--report in.jsonl: it would replace in.jsonl"),
        ("pair in.jsonl -o ''", "--output: an empty name"),
        ("sample in.jsonl --model m --temperature 1e-40", "give 0 or a number from 0.001"),
        (
            "sample in.jsonl --model m --count 1000000000",
            "--count 1000000000: give a number from 0 to 1000000"
        ),
        ("sample in.jsonl --model m --memory=-1", "--memory"),
        ("sample in.jsonl --model m --mode tree --keep-top 4611686018427387904", "give a number from 0 to"),
        ("dpo-train in.jsonl --model m -o a --rank 100000", "--rank 100000: give a number up to 16384"),
        ("calibrate in.jsonl --relevance m --compute int8", "--compute int8 is for the decoder of --model"),
        ("sft-train in.jsonl --model m -o a --compute int8", "--compute int8: nothing is learned through"),
        ("dpo-train in.jsonl --model m -o a --max-grad-norm=-1", "give a number from 0"),
        ("sft-train in.jsonl --model m -o a --learning-rate=-1", "give a number from 0"),
    ])
    func isRefused(line: String, says: String) throws {
        let shop = try Workshop(prompts: 1)
        try shop.succeed("cp prompts.jsonl in.jsonl")
        let ended = try shop.run("sightline \(line)")
        #expect(ended.code == 64 && ended.errors.contains(says), "\(ended.errors)")
        #expect(try shop.bytes("in.jsonl") == shop.bytes("prompts.jsonl") && !shop.has("out"))
    }

    @Test func aRecipeIsFoundByItsName() throws {
        let shop = try Workshop()
        for name in ["default", "default.toml"] {
            #expect(
                try shop.succeed("sightline recipe \(name) --set lambda=0.5").output.contains("lambda = 0.5"))
        }
    }
}
