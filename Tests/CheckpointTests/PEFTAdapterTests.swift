import Checkpoint
import Foundation
import Testing

@Suite struct PEFTAdapterTests {
    private let module = PEFTAdapter.Module(
        name: "model.language_model.layers.0.self_attn.q_proj", inputWidth: 3, outputWidth: 2,
        a: [1, 2, 3, 4, 5, 6], b: [0.5, -1, 0.25, 8])

    private func adapter(digest: String? = "abc") -> PEFTAdapter {
        PEFTAdapter(
            rank: 2, alpha: 4, baseModelName: "base", baseDigest: digest,
            modules: [
                module,
                .init(
                    name: "model.language_model.layers.0.mlp.down_proj", inputWidth: 1, outputWidth: 1,
                    a: [1, 2],
                    b: [3, 4]),
            ])
    }

    @Test func anAdapterSurvivesTheRoundTrip() throws {
        let scratch = try ScratchDirectory()
        let adapter = adapter()
        try adapter.write(to: scratch.file("new/adapter"))
        let read = try PEFTAdapter.read(scratch.file("new/adapter"), expecting: "abc")
        #expect(read == adapter && read.scale == 2)
        #expect(read.modules.map(\.name).first == "model.language_model.layers.0.mlp.down_proj")
        let file = try SafetensorsFile(scratch.file("new/adapter/adapter_model.safetensors"))
        let key = "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_"
        #expect(try file.tensor(named: key + "A.weight").shape == [2, 3])
        #expect(try file.tensor(named: key + "B.weight").shape == [2, 2])
    }

    @Test func rankStabilisedAdaptersScaleByTheRoot() throws {
        let scratch = try ScratchDirectory()
        var adapter = adapter()
        adapter.usesRSLoRA = true
        try adapter.write(to: scratch.url, as: .bf16)
        let read = try PEFTAdapter.read(scratch.url)
        #expect(read == adapter && read.scale == Float(4 / 2.0.squareRoot()))
    }

    @Test func anAdapterForAnotherBaseIsRefused() throws {
        let scratch = try ScratchDirectory()
        try adapter().write(to: scratch.url)
        let error = try #require(throws: CheckpointError.self) {
            try PEFTAdapter.read(scratch.url, expecting: "other")
        }
        #expect(error.description.contains("abc") && error.description.contains("other"))
        try adapter(digest: nil).write(to: scratch.url)
        #expect(try PEFTAdapter.read(scratch.url, expecting: "other").baseDigest == nil)
    }

    @Test func adaptersOfPEFTAreRead() throws {
        let adapter = try PEFTAdapter.read(oracle.appendingPathComponent("adapter-grouped"))
        #expect(adapter.modules.count == 14 && adapter.rank == 4 && adapter.scale == 2)
        let checkpoint = try CheckpointDirectory.open(oracle.appendingPathComponent("llava-grouped"))
        for module in adapter.modules {
            #expect(
                try checkpoint.shape(of: module.name + ".weight") == [module.outputWidth, module.inputWidth])
        }
    }

    /// That of transformers before 4.52, of LLaVA's own training, and of a decoder trained alone.
    @Test(arguments: ["language_model.model.", "model.", ""])
    func otherModulePathsAreRead(path: String) throws {
        let scratch = try ScratchDirectory()
        var alone = adapter()
        alone.modules = [module]
        try alone.write(to: scratch.url)
        let key = "base_model.model.\(path)layers.0.self_attn.q_proj.lora_"
        try SafetensorsWriter.write(
            [
                .init(key + "A.weight", shape: [2, 3], as: .f32, values: module.a),
                .init(key + "B.weight", shape: [2, 2], as: .f32, values: module.b),
            ], to: scratch.file("adapter_model.safetensors"))
        #expect(try PEFTAdapter.read(scratch.url).modules == [module])
    }

    /// What is beside an adapter, or in its place, is said with what to do.
    @Test func whatIsNoSafetensorsIsNamed() throws {
        let scratch = try ScratchDirectory()
        try adapter().write(to: scratch.url)
        try scratch.write("x", to: "non_lora_trainables.bin")
        let beside = try #require(throws: CheckpointError.self) { try PEFTAdapter.read(scratch.url) }
        #expect(beside.description.contains("merge_lora_weights.py"), "\(beside)")
        try FileManager.default.removeItem(at: scratch.file("non_lora_trainables.bin"))
        try FileManager.default.moveItem(
            at: scratch.file("adapter_model.safetensors"), to: scratch.file("adapter_model.bin"))
        let pickle = try #require(throws: CheckpointError.self) { try PEFTAdapter.read(scratch.url) }
        #expect(pickle.place.hasSuffix("adapter_model.bin"))
        #expect(pickle.remedy.contains("weights_only=True") && pickle.remedy.contains("save_file"))
    }

    private static let decoder = (0..<2).flatMap { layer in
        ["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"].map {
            "model.language_model.layers.\(layer).\($0)"
        }
    }

    /// What an adapter's config names, and how many of the decoder's six layers that are.
    @Test(arguments: [
        (#""target_modules":["q_proj","v_proj"]"#, 4), (#""target_modules":"all-linear""#, 6),
        (#""target_modules":".*language_model.*\\.(q|v)_proj""#, 4),
        (#""target_modules":["model.layers.1.mlp.down_proj"]"#, 1),
        (#""target_modules":["language_model.model.layers.1.mlp.down_proj","self_attn.q_proj"]"#, 3),
        (#""target_modules":["q_proj"],"layers_to_transform":[1]"#, 1),
        (#""target_modules":["q_proj"],"layers_to_transform":0"#, 1),
        (#""target_modules":"all-linear","exclude_modules":["down_proj"]"#, 4),
    ])
    func whatTheConfigNamesMustBeThere(json: String, count: Int) throws {
        let scratch = try ScratchDirectory()
        func adapter(lacking missing: Int) throws -> PEFTAdapter {
            let names = try meant(json, scratch)
            try #require(names.count == count)
            try PEFTAdapter(
                rank: 2, alpha: 4, baseModelName: nil, baseDigest: nil,
                modules: names.dropFirst(missing).map {
                    .init(name: $0, inputWidth: 1, outputWidth: 1, a: [1, 2], b: [3, 4])
                }
            ).write(to: scratch.url)
            try scratch.write(#"{"peft_type":"LORA","r":2,\#(json)}"#, to: "adapter_config.json")
            return try PEFTAdapter.read(scratch.url)
        }
        try adapter(lacking: 0).checkThatItCovers(Self.decoder, place: "x")
        guard count > 1 else { return }
        let error = #expect(throws: CheckpointError.self) {
            try adapter(lacking: 1).checkThatItCovers(Self.decoder, place: "x")
        }
        #expect(
            error?.description.contains("names") == true && error?.description.contains("no tensors") == true)
    }

    /// By the rules themselves, which the counts above hold to.
    private func meant(_ json: String, _ scratch: ScratchDirectory) throws -> [String] {
        try PEFTAdapter(
            rank: 2, alpha: 4, baseModelName: nil, baseDigest: nil,
            modules: Self.decoder.map {
                .init(name: $0, inputWidth: 1, outputWidth: 1, a: [1, 2], b: [3, 4])
            }
        ).write(to: scratch.url)
        try scratch.write(#"{"peft_type":"LORA","r":2,\#(json)}"#, to: "adapter_config.json")
        return try PEFTAdapter.read(scratch.url).targets.meant(among: Self.decoder)
    }

    @Test func aNameThatNothingAnswersIsRefused() throws {
        let scratch = try ScratchDirectory()
        try adapter().write(to: scratch.url)
        try scratch.write(
            #"{"peft_type":"LORA","r":2,"target_modules":["q_proj","down_proj","fc1"]}"#,
            to: "adapter_config.json")
        let error = try #require(throws: CheckpointError.self) { try PEFTAdapter.read(scratch.url) }
        #expect(error.description.contains("names fc1, but there are no tensors for it"), "\(error)")
    }

    /// What is put into adapter_config.json, and the key that the refusal has to name.
    @Test(arguments: [
        (#""peft_type":"LOHA""#, "peft_type"), (#""peft_type":"LORA","r":0"#, "r"),
        (#""peft_type":"LORA","r":"2""#, "r"), (#""peft_type":"LORA","r":2,"use_dora":true"#, "use_dora"),
        (#""peft_type":"LORA","r":2,"bias":"all""#, "bias"),
        (#""peft_type":"LORA","r":2,"fan_in_fan_out":true"#, "fan_in_fan_out"),
        (#""peft_type":"LORA","r":2,"rank_pattern":{"q_proj":4}"#, "rank_pattern"),
        (#""peft_type":"LORA","r":2,"alpha_pattern":{"q_proj":4}"#, "alpha_pattern"),
        (#""peft_type":"LORA","r":2,"modules_to_save":["lm_head"]"#, "modules_to_save"),
        (#""peft_type":"LORA","r":2,"target_modules":"(q_proj""#, "target_modules"), (#""r":2"#, "peft_type"),
    ])
    func otherKindsOfAdapterAreRefused(json: String, key: String) throws {
        let scratch = try ScratchDirectory()
        try adapter().write(to: scratch.url)
        try scratch.write("{\(json)}", to: "adapter_config.json")
        let error = try #require(throws: CheckpointError.self) { try PEFTAdapter.read(scratch.url) }
        #expect(error.place.hasSuffix("adapter_config.json: key \(key)"), "\(error)")
    }

    @Test func tensorsThatAreNoAdapterAreRefused() throws {
        let scratch = try ScratchDirectory()
        try adapter().write(to: scratch.url)
        let key = "base_model.model.m.q_proj.lora_"
        let a = SafetensorsWriter.Tensor(key + "A.weight", shape: [2, 3], as: .f32, values: module.a)
        let b = SafetensorsWriter.Tensor(key + "B.weight", shape: [2, 2], as: .f32, values: module.b)
        let cases: [(tensors: [SafetensorsWriter.Tensor], words: String)] = [
            ([], "no LoRA"), ([a], "only one"),
            ([a, b, .init("lm_head.weight", shape: [1], as: .f32, values: [1])], "neither"),
            ([.init(key + "A.weight", shape: [3, 2], as: .f32, values: module.a), b], "rank"),
            ([.init(key + "A.weight", shape: [2, 3, 1, 1], as: .f32, values: module.a), b], "convolution"),
        ]
        for (tensors, words) in cases {
            try SafetensorsWriter.write(tensors, to: scratch.file("adapter_model.safetensors"))
            let error = try #require(throws: CheckpointError.self) { try PEFTAdapter.read(scratch.url) }
            #expect(error.description.contains(words), "\(error)")
        }
    }
}
