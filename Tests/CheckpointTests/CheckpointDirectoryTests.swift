import Checkpoint
import Foundation
import Testing

/// Models and adapters that transformers and PEFT wrote.
let oracle = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/oracle")

@Suite struct CheckpointDirectoryTests {
    @Test(arguments: [
        (
            "language_model.model.layers.0.mlp.up_proj.weight",
            "model.language_model.layers.0.mlp.up_proj.weight"
        ),
        ("language_model.lm_head.weight", "lm_head.weight"),
        ("lm_head.weight", "lm_head.weight"),
        ("model.language_model.norm.weight", "model.language_model.norm.weight"),
        (
            "model.layers.3.self_attn.q_proj.weight", "model.language_model.layers.3.self_attn.q_proj.weight"
        ),
        ("image_newline", "model.image_newline"),
        ("visual.merger.ln_q.weight", "model.visual.merger.ln_q.weight"),
        ("model.text_model.norm.weight", "model.text_model.norm.weight"),
        ("multi_modal_projector.linear_1.weight", "model.multi_modal_projector.linear_1.weight"),
        (
            "vision_tower.vision_model.post_layernorm.bias",
            "model.vision_tower.vision_model.post_layernorm.bias"
        ),
        ("vision_tower.post_layernorm.bias", "model.vision_tower.vision_model.post_layernorm.bias"),
        ("model.vision_tower.pre_layrnorm.bias", "model.vision_tower.vision_model.pre_layrnorm.bias"),
        ("vision_model.pre_layrnorm.bias", "vision_model.pre_layrnorm.bias"),
        ("text_model.final_layer_norm.weight", "text_model.final_layer_norm.weight"),
    ])
    func everySpellingHasOneName(stored: String, canonical: String) {
        #expect(TensorNames.canonical(stored) == canonical)
        #expect(TensorNames.canonical(canonical) == canonical)
    }

    private let llavaNames = [
        "model.language_model.embed_tokens.weight", "model.language_model.layers.1.self_attn.o_proj.weight",
        "model.language_model.norm.weight", "model.multi_modal_projector.linear_2.bias",
        "model.vision_tower.vision_model.embeddings.patch_embedding.weight",
        "model.vision_tower.vision_model.pre_layrnorm.weight",
    ]

    @Test(arguments: ["llava-grouped", "llava-tied", "llava-legacy"])
    func checkpointsOfTransformersAnswerToTheNewNames(directory: String) throws {
        let checkpoint = try CheckpointDirectory.open(oracle.appendingPathComponent(directory))
        for name in llavaNames {
            #expect(checkpoint.has(name), "\(name)")
            #expect(try checkpoint.floats(name).contains { $0 != 0 })
        }
        let config = try checkpoint.config().llava(path: directory)
        let embedding = try checkpoint.shape(of: "model.language_model.embed_tokens.weight")
        #expect(embedding == [config.text.vocabSize, config.text.hiddenSize])
        #expect(checkpoint.has("lm_head.weight") != config.text.tieWordEmbeddings)
        #expect(throws: CheckpointError.self) {
            try checkpoint.tensor(
                named: "model.language_model.norm.weight", shape: [1, config.text.hiddenSize])
        }
    }

    @Test func readIntoAndFloatsAgree() throws {
        let checkpoint = try CheckpointDirectory.open(oracle.appendingPathComponent("llava-legacy"))
        let name = "lm_head.weight"
        let shape = try checkpoint.shape(of: name)
        var values = [Float](repeating: .nan, count: shape.reduce(1, *))
        try values.withUnsafeMutableBufferPointer { try checkpoint.read(name, into: $0) }
        #expect(values == (try checkpoint.floats(name)))
        #expect(values.allSatisfy { $0.isFinite && $0.bitPattern & 0xffff == 0 })
    }

    private func sharded(_ scratch: ScratchDirectory, weightMap: [String: String]) throws {
        try scratch.write(#"{"model_type":"llama"}"#, to: "config.json")
        let data = try JSONEncoder().encode(["weight_map": weightMap])
        try data.write(to: scratch.file("model.safetensors.index.json"))
    }

    @Test func missingShardsAreListedTogether() throws {
        let scratch = try ScratchDirectory()
        try sharded(scratch, weightMap: ["a": "1.safetensors", "b": "2.safetensors", "c": "3.safetensors"])
        try SafetensorsWriter.write(
            [.init("b", shape: [1], as: .f32, values: [1])], to: scratch.file("2.safetensors"))
        let error = try #require(throws: CheckpointError.self) { try CheckpointDirectory.open(scratch.url) }
        #expect(error.finding == "2 of 3 shards are missing: 1.safetensors, 3.safetensors")
    }

    @Test func anIndexThatLiesIsRefused() throws {
        for map in [["a": "1.safetensors"], ["b": "../1.safetensors"], ["b": ".."], [:]] {
            let scratch = try ScratchDirectory()
            try sharded(scratch, weightMap: map)
            try SafetensorsWriter.write(
                [.init("b", shape: [1], as: .f32, values: [1])], to: scratch.file("1.safetensors"))
            #expect(throws: CheckpointError.self, "\(map)") { try CheckpointDirectory.open(scratch.url) }
        }
    }

    @Test func oneWeightUnderTwoSpellingsIsRefused() throws {
        let scratch = try ScratchDirectory()
        try scratch.write(#"{"model_type":"llava"}"#, to: "config.json")
        try SafetensorsWriter.write(
            [
                "lm_head.weight",
                "language_model.lm_head.weight",
            ].map { .init($0, shape: [1], as: .f32, values: [1]) },
            to: scratch.file("model.safetensors"))
        let error = try #require(throws: CheckpointError.self) { try CheckpointDirectory.open(scratch.url) }
        #expect(error.description.contains("lm_head.weight"))
    }

    @Test func incompleteDirectoriesAreRefused() throws {
        let scratch = try ScratchDirectory()
        #expect(throws: CheckpointError.self) { try CheckpointDirectory.open(scratch.file("absent")) }
        #expect(throws: CheckpointError.self) { try CheckpointDirectory.open(scratch.url) }
        try scratch.write("{}", to: "config.json")
        let error = try #require(throws: CheckpointError.self) { try CheckpointDirectory.open(scratch.url) }
        #expect(error.finding.contains("model.safetensors.index.json"))
    }

    @Test func theDigestFollowsContentAndNamesOnly() throws {
        let (one, two) = (try ScratchDirectory(), try ScratchDirectory())
        for scratch in [one, two] {
            try scratch.write("{}", to: "config.json")
            try scratch.write("weights", to: "w")
        }
        let digest = try ModelDigest.contentDigest(of: [one.file("config.json"), one.file("w")])
        #expect(digest.count == 64)
        #expect(try ModelDigest.contentDigest(of: [two.file("w"), two.file("config.json")]) == digest)
        try two.write("weightS", to: "w")
        #expect(try ModelDigest.contentDigest(of: [two.file("w"), two.file("config.json")]) != digest)
        #expect(throws: CheckpointError.self) { try ModelDigest.contentDigest(of: [one.file("absent")]) }
    }

    @Test func aFoldedAdapterGivesAnotherDigest() throws {
        let adapter = oracle.appendingPathComponent("adapter-grouped")
        let one = try ModelDigest.chain("base", adapter: adapter, scale: 2)
        #expect(one.count == 64)
        #expect(try ModelDigest.chain("base", adapter: adapter, scale: 2) == one)
        #expect(try ModelDigest.chain("other", adapter: adapter, scale: 2) != one)
        #expect(try ModelDigest.chain("base", adapter: adapter, scale: 1) != one)
        #expect(throws: CheckpointError.self) { try ModelDigest.chain("base", adapter: oracle, scale: 2) }
    }
}
