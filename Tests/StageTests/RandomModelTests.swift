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
        // Decoding over a cache and reading as a forest agree, positions of rows and columns included.
        for (sampled, scored) in zip(try shop.lines("c.jsonl"), try shop.lines("s.jsonl")) {
            for (drawn, read) in zip(try logprobs(sampled), try logprobs(scored)) {
                #expect(abs(drawn - read) < 1e-3)
            }
        }
    }

    private func logprobs(_ line: String) throws -> [Double] {
        let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let nodes = try #require(record?["nodes"] as? [[String: Any]])
        return try nodes.map { try #require($0["logprob"] as? Double) }
    }

    /// One tile for a picture that is otherwise cut; refused where none is.
    @Test func picturesMayBeTakenWhole() throws {
        let shop = try Workshop()
        func tokens(_ family: String, _ options: String) throws -> Int {
            let dump = try shop.succeed(
                "sightline sample p.jsonl --model \(family) --dump-tokens \(options)")
            return dump.errors.split(separator: "\n").count { $0.contains("<image ") }
        }
        try shop.write(#"{"id":"a","image":"pictures/picture-1.png","prompt":"What?"}"# + "\n", to: "p.jsonl")
        for (family, cut, whole) in [("smolvlm", 68, 4), ("llava-onevision", 70, 17)] {
            try shop.succeed("sightline model random \(family) --size tiny -o \(family)")
            #expect(try tokens(family, "") == cut)
            #expect(try tokens(family, "--tiles none") == whole)
        }
        let refused = try shop.run("sightline sample p.jsonl --model $LLAVA --tiles none -o x.jsonl")
        #expect(refused.code != 0 && refused.errors.contains("leave out --tiles none"))
    }
}
