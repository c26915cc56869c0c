import Foundation
import Testing

/// A LLaVA in the layout of LLaVA's own code runs through the programs, and says what it says in transformers' layout.
@Suite struct OriginalLlavaTests {
    @Test func theChainOpensIt() throws {
        let shop = try Workshop()
        // Square ones, which padding and cropping leave alike.
        let pictures = [0, 3].map { "pictures/picture-\($0).png" }
        func lines(_ rest: String) -> String {
            pictures.map { #"{"id":"\#($0)","image":"\#($0)","prompt":"What?"\#(rest)}"# + "\n" }.joined()
        }
        try shop.write(lines(""), to: "p.jsonl")
        try shop.write(lines(#","chosen":"A cup.","rejected":"A dog.""#), to: "pairs.jsonl")
        try shop.succeed(
            """
            OWN=$FIXTURES/oracle/original/llava-1.5
            sightline sample p.jsonl --model $OWN --count 2 --max-tokens 6 -o c.jsonl
            sightline sample p.jsonl --model $FIXTURES/oracle/llava-legacy --template vicuna_v1 --count 2 --max-tokens 6 -o d.jsonl
            sightline calibrate c.jsonl --rescore --model $OWN --lambda 0 -o s.jsonl
            sightline dpo-train pairs.jsonl --model $OWN --rank 2 --epochs 1 --hold-out 0 -o a
            sightline merge --model a --dtype f32 -o merged
            sightline sample p.jsonl --model merged --count 1 --max-tokens 4 -o e.jsonl
            """)
        #expect(try nodes("c.jsonl") == nodes("d.jsonl"))
        #expect(try shop.read("merged/config.json").contains("\"torch_dtype\": \"float32\""))
        #expect(shop.has("merged/vision_tower/preprocessor_config.json"))

        func nodes(_ file: String) throws -> [[NSDictionary]] {
            try shop.lines(file).map {
                let record = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                return try #require(record?["nodes"] as? [NSDictionary])
            }
        }
    }
}
