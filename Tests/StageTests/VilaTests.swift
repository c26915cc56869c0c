import Foundation
import Testing

/// A VILA runs through the programs.
@Suite struct VilaTests {
    @Test func theChainOpensIt() throws {
        let shop = try Workshop(prompts: 2)
        let pairs = (0..<2).map {
            #"{"id":"\#($0)","image":"pictures/picture-\#($0).png","prompt":"What?","#
                + #""chosen":"A red cup.","rejected":"A red dog."}"# + "\n"
        }
        try shop.write(pairs.joined(), to: "pairs.jsonl")
        try shop.succeed(
            """
            VILA=$FIXTURES/oracle/families/vila
            sightline sample prompts.jsonl --model $VILA --count 2 --max-tokens 6 -o c.jsonl
            sightline sample prompts.jsonl --model $VILA --compute bf16 --count 2 --max-tokens 6 -o h.jsonl
            sightline sample prompts.jsonl --model $VILA --adapter $VILA/../adapters/vila --count 1 --max-tokens 4 -o p.jsonl
            sightline calibrate c.jsonl --rescore --model $VILA --lambda 0 -o s.jsonl
            sightline pair pairs.jsonl --from pairs --align-edits $VILA -o spans.jsonl
            sightline dpo-train pairs.jsonl --model $VILA --rank 2 --epochs 1 --hold-out 0 -o a
            sightline merge --model a --dtype f32 -o merged
            sightline sample prompts.jsonl --model a --count 2 --max-tokens 6 -o d.jsonl
            sightline sample prompts.jsonl --model merged --compute f32 --count 2 --max-tokens 6 -o e.jsonl
            """)
        for file in ["c", "h", "p", "s", "d", "e"] { #expect(try shop.lines("\(file).jsonl").count == 2) }
        #expect(try shop.read("spans.jsonl").contains("\"weights\""))
        for file in ["llm/tokenizer.json", "mm_projector/model.safetensors"] {
            #expect(shop.has("merged/\(file)"))
        }
        #expect(shop.has("merged/vision_tower/preprocessor_config.json"))
        #expect(!shop.has("merged/tokenizer.json"))
        #expect(try shop.read("merged/llm/config.json").contains("\"torch_dtype\":\"float32\""))
    }

    @Test func aPartThatIsMissingIsOneSentence() throws {
        let shop = try Workshop(prompts: 1)
        for (spoil, says) in [
            ("rm -r vila/mm_projector", "vila/config.json: its folder mm_projector is missing"),
            (
                "sed -i s/mlp_downsample/linear/ vila/mm_projector/config.json",
                "vila/mm_projector/config.json: key mm_projector_type: \"linear\" is not supported"
            ),
        ] {
            let ended = try shop.run(
                """
                rm -rf vila; cp -r $FIXTURES/oracle/families/vila vila; \(spoil)
                sightline sample prompts.jsonl --model vila -o x.jsonl
                """)
            #expect(ended.code == 1 && ended.errors.contains(says), "\(ended.errors)")
            #expect(ended.errors.split(separator: "\n").count == 1 && !shop.has("x.jsonl"))
        }
    }
}
