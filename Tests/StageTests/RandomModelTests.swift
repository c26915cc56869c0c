import Foundation
import Testing

/// `model random` writes models of every family that all programs open.
@Suite struct RandomModelTests {
    @Test(arguments: ["llava", "llava-onevision", "smolvlm", "qwen2-vl", "qwen2.5-vl"])
    func everyFamilyRunsThroughTheChain(family: String) throws {
        let shop = try Workshop()
        try shop.succeed(
            """
            sightline model random \(family) --size tiny --dtype f32 -o m && cp $FIXTURES/imaging/{wide,photo}.* .
            sightline model random \(family) --size tiny --dtype f32 -o again && cmp m/model.safetensors again/model.safetensors
            """)
        let records = ["wide.png", "photo.jpg"].map {
            #"{"id":"\#($0)","image":"\#($0)","prompt":"What is this?"}"#
        }
        try shop.write(records.joined(separator: "\n") + "\n", to: "p.jsonl")
        try shop.write(
            ["wide.png", "photo.jpg"].map {
                #"{"id":"\#($0)","image":"\#($0)","prompt":"What?","chosen":"A cat.","rejected":"A dog."}"#
            }.joined(separator: "\n") + "\n", to: "pairs.jsonl")
        try shop.succeed(
            """
            sightline sample p.jsonl --model m --count 2 --max-tokens 6 -o c.jsonl
            sightline calibrate c.jsonl --rescore --model m --lambda 0 -o s.jsonl
            sightline dpo-train pairs.jsonl --model m --rank 2 --epochs 1 --hold-out 0 -o a
            sightline merge --model a --dtype f32 -o merged && sightline sample p.jsonl --model merged --count 1 --max-tokens 4 -o d.jsonl
            """)
        let sampled = try shop.read("c.jsonl"), scored = try shop.read("s.jsonl")
        #expect(sampled.contains("candidates") && scored.contains("likelihood"))
    }
}
