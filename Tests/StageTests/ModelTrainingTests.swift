import Testing

/// The two small models come from nothing, from each other's vision tower, or from where they stood.
struct ModelTrainingTests {
    private static let small =
        "--batch 4 --width 24 --heads 2 --vision-layers 2 --image-size 32 --patch-size 16 --vocabulary 600"

    @Test func theTowerOfOneBeginsTheOtherAndBothGoOn() throws {
        let shop = try Workshop()
        try shop.succeed(
            """
            set -e
            sightline scenes --split train --count 8 --size 32 -o scenes --no-ledger --quiet
            sft="sightline sft-train scenes/sft.jsonl --image-root scenes --no-ledger --quiet"
            clip="sightline clip-train scenes/clip.jsonl --image-root scenes --no-ledger --quiet"
            $sft --steps 2 \(Self.small) --layers 1 --key-value-heads 1 --inner 32 -o llava
            $sft --steps 2 --batch 4 --model llava -o llava2
            sed -n '1,2{s/"id":"/"id":"b/;p;}' scenes/sft.jsonl >more.jsonl
            $sft more.jsonl --weight 1 --weight 3 --steps 2 --batch 4 --model llava -o mixed
            $clip --steps 2 \(Self.small) --text-layers 1 --projection 20 --tower llava -o clip
            $clip --steps 2 --batch 4 --model clip -o clip2
            """)
        for folder in ["llava", "llava2", "mixed", "clip", "clip2"] {
            #expect(shop.has("\(folder)/model.safetensors") && shop.has("\(folder)/tokenizer.json"))
        }
        // What transformers' processor wants; a model that goes on has it still.
        for folder in ["llava", "llava2"] {
            #expect(try shop.read("\(folder)/processor_config.json").contains(#""patch_size": 16"#))
            #expect(try shop.read("\(folder)/chat_template.jinja").contains(" ASSISTANT:"))
        }
        for name in ["config.json", "tokenizer.json"] { try shop.succeed("diff clip/\(name) clip2/\(name)") }
        #expect(try shop.bytes("clip/model.safetensors") != shop.bytes("clip2/model.safetensors"))
        #expect(try shop.bytes("mixed/model.safetensors") != shop.bytes("llava2/model.safetensors"))
        let scored = try shop.succeed(
            """
            sightline sample scenes/prompts.jsonl --model llava2 --max-tokens 6 --count 2 --image-root scenes --quiet |
                sightline calibrate --relevance clip2 --image-root scenes --quiet
            """)
        #expect(scored.output.contains(#""relevance":"#))
        // An adapter over it: the model's own files stay away, and another program folds it in.
        try shop.succeed(
            """
            set -e
            sightline sft-train scenes/sft.jsonl --image-root scenes --no-ledger --quiet --steps 3 --batch 4 \
                --model llava --rank 2 -o lora
            sightline merge --model llava --adapter lora -o folded --quiet
            """)
        #expect(shop.has("lora/adapter_model.safetensors") && !shop.has("lora/model.safetensors"))
        #expect(try shop.read("lora/adapter_config.json").contains(/"lora_alpha" : 4\b/))
        #expect(try shop.bytes("folded/model.safetensors") != shop.bytes("llava/model.safetensors"))
        // A tower that learned from patches begins both, and stays as it is where that is asked.
        try shop.succeed(
            """
            set -e
            clip="sightline clip-train scenes/clip.jsonl --image-root scenes --no-ledger --quiet --steps 2"
            $clip --patch-steps 2 \(Self.small) --text-layers 1 --projection 20 -o tower
            $clip --batch 4 --model tower --tower-rate 0.1 -o clip3
            sightline sft-train scenes/sft.jsonl --image-root scenes --no-ledger --quiet --steps 2 \(Self.small) \
                --layers 1 --key-value-heads 1 --inner 32 --tower tower --freeze-tower -o llava3
            """)
        #expect(try shop.read("tower/metrics.jsonl").contains("patch_accuracy_2"))
        #expect(shop.has("clip3/model.safetensors") && shop.has("llava3/model.safetensors"))
        let idle = try shop.run("sightline sft-train scenes/sft.jsonl --model llava --width 24 -o out")
        #expect(idle.code == 64 && idle.errors.contains("--width: belongs to a new model"))
        let both = try shop.run("sightline clip-train scenes/clip.jsonl --model clip --tower llava -o out")
        #expect(both.code == 64 && both.errors.contains("--tower"))
    }
}
