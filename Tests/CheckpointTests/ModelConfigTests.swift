import Checkpoint
import Foundation
import Testing

/// A config.json in the layout of LLaVA's own code, with `keys` besides.
private func original(_ keys: String, tower: String = "openai/clip-vit-large-patch14-336") -> String {
    let projector = keys.contains("mm_projector_type") ? "" : #","mm_projector_type":"mlp2x_gelu""#
    return #"{"model_type":"llava_llama","mm_vision_tower":"\#(tower)"\#(projector),\#(keys)}"#
}

@Suite struct ModelConfigTests {
    private func config(_ json: String) throws -> ModelConfig {
        try ModelConfig(Data(json.utf8), path: "dir/config.json")
    }

    private func llama(_ json: String) throws -> LlamaConfig {
        guard case .llama(let llama) = try config(json) else {
            throw CheckpointError("test", "not a llama", "correct the test")
        }
        return llama
    }

    @Test func omittedKeysHaveTheDefaultsOfTransformers() throws {
        let llama = try llama(#"{"model_type":"llama"}"#)
        #expect(llama == LlamaConfig())
        #expect(llama.headDim == 128 && llama.keyValueHeadCount == 32 && llama.intermediateSize == 11008)
        let llava = try config(#"{"model_type":"llava"}"#).llava(path: "")
        #expect(
            llava.vision.hiddenSize == 1024 && llava.vision.layerCount == 24 && llava.imageTokenCount == 576)
        #expect(
            llava.visionFeatureLayer == -2 && llava.visionLayersNeeded == 23 && llava.imageTokenID == 32000)
        // A vision_config that is there starts from CLIP-B, not from LLaVA's tower.
        let partial = try config(#"{"model_type":"llava","vision_config":{"patch_size":16}}"#).llava(path: "")
        #expect(partial.vision.hiddenSize == 768 && partial.imageTokenCount == 196)
        let clip = try config(#"{"model_type":"clip"}"#).clip(path: "")
        #expect(clip == ClipConfig() && !clip.text.poolsAtHighestID && clip.vision.patchCount == 49)
    }

    @Test func headsFollowEachOther() throws {
        let llama = try llama(
            #"{"model_type":"llama","hidden_size":64,"num_attention_heads":8,"head_dim":null}"#)
        #expect(llama.keyValueHeadCount == 8 && llama.headDim == 8)
        let grouped = try self.llama(
            #"{"model_type":"llama","hidden_size":64,"num_attention_heads":8,"num_key_value_heads":2,"head_dim":12}"#
        )
        #expect(grouped.keyValueHeadCount == 2 && grouped.headDim == 12)
    }

    @Test(arguments: [
        (#""rope_theta":5000.0"#, 5000.0), (#""rope_theta":5000,"rope_scaling":null"#, 5000),
        (#""rope_parameters":{"rope_theta":2e4,"rope_type":"default"}"#, 2e4),
        (#""rope_scaling":{"type":"none"}"#, 1e4),
        (#""rope_theta":3.0,"rope_parameters":{"rope_type":"default"}"#, 3),
    ])
    func ropeThetaIsFoundInBothPlaces(json: String, theta: Double) throws {
        #expect(try llama("{\"model_type\":\"llama\",\(json)}").rotary.theta == theta)
    }

    @Test func tokenIDsMayBeOneManyOrNone() throws {
        #expect(
            try llama(#"{"model_type":"llama","eos_token_id":[5,6],"pad_token_id":0}"#).eosTokenIDs == [5, 6])
        #expect(
            try llama(#"{"model_type":"llama","eos_token_id":null,"bos_token_id":null}"#).eosTokenIDs.isEmpty)
        #expect(
            try config(#"{"model_type":"clip","text_config":{"eos_token_id":2}}"#).clip(path: "").text
                .poolsAtHighestID)
    }

    @Test func theLegacyDictOfClipWins() throws {
        let clip = try config(
            #"{"model_type":"clip","text_config":{"hidden_size":512},"text_config_dict":{"hidden_size":768,"num_attention_heads":12},"vision_config_dict":null}"#
        ).clip(path: "")
        #expect(clip.text.hiddenSize == 768 && clip.vision.hiddenSize == 768)
    }

    @Test func tyingOnTopReachesTheDecoder() throws {
        let json =
            #"{"model_type":"llava","tie_word_embeddings":true,"image_token_id":7,"text_config":{"model_type":"llama"}}"#
        let llava = try config(json).llava(path: "")
        #expect(llava.text.tieWordEmbeddings && llava.imageTokenID == 7)
    }

    /// json, the key that the message has to name, and a word of the finding.
    @Test(arguments: [
        (#"{"model_type":"mistral"}"#, "model_type", "mistral"),
        (#"{"model_type":"llama4"}"#, "model_type", "llama4"),
        (#"{"model_type":"llava","mm_vision_tower":"clip"}"#, "mm_projector_type", "linear"),
        (#"{"model_type":"llava_llama"}"#, "mm_vision_tower", "missing"),
        // A VILA without its folders.
        (#"{"model_type":"llava_llama","llm_cfg":{}}"#, "model_type", "llava_llama"),
        (#"{"model_type":"llava_mpt","mm_vision_tower":"clip"}"#, "model_type", "llava_mpt"),
        (original(#""mm_projector_type":"mlp_downsample""#), "mm_projector_type", "mlp_downsample"),
        (original(#""mm_use_im_start_end":true"#), "mm_use_im_start_end", "true"),
        (original(#""s2":true"#), "s2", "true"),
        (original(#""mm_resampler_type":"perceiver""#), "mm_resampler_type", "perceiver"),
        (original(#""image_aspect_ratio":"anyres_max_9""#), "image_aspect_ratio", "anyres_max_9"),
        (original(#""image_aspect_ratio":"anyres""#), "mm_patch_merge_type", "flat"),
        (
            original(#""image_aspect_ratio":"anyres","mm_patch_merge_type":"spatial_unpad""#),
            "image_grid_pinpoints", "pairs"
        ),
        (original(#""mm_vision_select_feature":"cls""#), "mm_vision_select_feature", "cls_patch"),
        (original(#""mm_vision_select_layer":-26"#), "mm_vision_select_layer", "-26"),
        (original(#""mm_hidden_size":768"#), "mm_hidden_size", "1024"),
        (original(#""s2":false"#, tower: "clip-vit-base-patch32"), "mm_vision_tower", "isn't known"),
        (
            #"{"model_type":"qwen2_vl","vision_config":{"hidden_size":8192}}"#, "rope_scaling",
            "mrope_section"
        ),
        (
            #"{"model_type":"llava_onevision","vision_aspect_ratio":"anyres"}"#, "vision_aspect_ratio",
            "anyres_max_"
        ),
        (
            #"{"model_type":"llava_next","vision_feature_select_strategy":"full"}"#,
            "vision_feature_select_strategy", "577"
        ),
        (#"{"model_type":"smolvlm","use_resampler":true}"#, "use_resampler", "true"),
        (#"{"model_type":"idefics3","scale_factor":4}"#, "scale_factor", "7 patches"),
        (
            #"{"model_type":"idefics3","text_config":{"qk_layer_norms":true}}"#, "text_config.qk_layer_norms",
            "true"
        ), (#"{}"#, "model_type", "missing"),
        (#"{"model_type":7}"#, "model_type", "a string"), ("[1]", "", "an object"),
        (
            "{", "",
            "JSON"
        ), ("", "", "JSON"),
        (#"{"model_type":"llama","hidden_size":"64"}"#, "hidden_size", "a number"),
        (#"{"model_type":"llama","hidden_size":64.5}"#, "hidden_size", "64.5"),
        (#"{"model_type":"llama","hidden_size":0}"#, "hidden_size", "0"),
        (#"{"model_type":"llama","num_hidden_layers":-1}"#, "num_hidden_layers", "-1"),
        (#"{"model_type":"llama","vocab_size":9000000000000000000}"#, "vocab_size", "2^24"),
        (#"{"model_type":"llama","num_attention_heads":3}"#, "num_attention_heads", "divide"),
        (#"{"model_type":"llama","num_key_value_heads":5}"#, "num_key_value_heads", "divide"),
        (#"{"model_type":"llama","head_dim":7}"#, "head_dim", "odd"),
        (#"{"model_type":"llama","hidden_act":"gelu"}"#, "hidden_act", "silu"),
        (#"{"model_type":"llama","rms_norm_eps":0}"#, "rms_norm_eps", "above zero"),
        (#"{"model_type":"llama","rope_scaling":{"type":"linear"}}"#, "rope_scaling", "factor"),
        (
            #"{"model_type":"llama","rope_scaling":{"type":"longrope","factor":2}}"#, "rope_scaling",
            "longrope"
        ),
        (
            #"{"model_type":"llama","rope_parameters":{"rope_type":"llama3","factor":8}}"#, "rope_parameters",
            "low_freq_factor"
        ),
        (
            #"{"model_type":"llama","rope_parameters":{"rope_type":"yarn","factor":8,"beta_slow":0}}"#,
            "rope_parameters", "beta_slow"
        ),
        (
            #"{"model_type":"llava","text_config":{"model_type":"phi3","rope_scaling":{"type":"linear","factor":2}}}"#,
            "text_config.rope_scaling", "Phi-3"
        ),
        (#"{"model_type":"llama","partial_rotary_factor":0.5}"#, "partial_rotary_factor", "0.5"),
        (#"{"model_type":"llama","tie_word_embeddings":"yes"}"#, "tie_word_embeddings", "true or false"),
        (#"{"model_type":"llama","eos_token_id":"</s>"}"#, "eos_token_id", "list"),
        (
            #"{"model_type":"llava","text_config":{"model_type":"gemma"}}"#, "text_config.model_type",
            "gemma"
        ),
        (
            #"{"model_type":"llava","vision_config":{"model_type":"pixtral"}}"#, "vision_config.model_type",
            "pixtral"
        ),
        (
            #"{"model_type":"llava","vision_config":{"model_type":"idefics3_vision"}}"#, "vision_config",
            "idefics3"
        ),
        (
            #"{"model_type":"clip","vision_config":{"model_type":"siglip_vision_model"}}"#, "vision_config",
            "siglip"
        ),
        (
            #"{"model_type":"llava","vision_config":{"hidden_size":[1]}}"#, "vision_config.hidden_size",
            "a number"
        ),
        (#"{"model_type":"llava","vision_config":{"patch_size":500}}"#, "vision_config.patch_size", "500"),
        (#"{"model_type":"llava","vision_config":{"num_channels":1}}"#, "vision_config.num_channels", "3"),
        (#"{"model_type":"llava","vision_feature_layer":[-2,-5]}"#, "vision_feature_layer", "list"),
        (#"{"model_type":"llava","vision_feature_layer":-26.0}"#, "vision_feature_layer", "-26"),
        (
            #"{"model_type":"llava","vision_feature_select_strategy":"cls"}"#,
            "vision_feature_select_strategy", "full"
        ),
        (#"{"model_type":"llava","projector_hidden_act":"relu"}"#, "projector_hidden_act", "gelu"),
        (
            #"{"model_type":"llava","image_token_index":1,"image_token_id":2}"#, "image_token_id",
            "contradicts"
        ),
        (
            #"{"model_type":"clip","text_config":{"hidden_act":"relu"}}"#, "text_config.hidden_act",
            "quick_gelu"
        ),
        (#"{"model_type":"clip","logit_scale_init_value":"e"}"#, "logit_scale_init_value", "a number"),
    ])
    func faultsNameFileAndKey(json: String, key: String, word: String) throws {
        let error = try #require(throws: CheckpointError.self) { try config(json) }
        #expect(error.place == (key.isEmpty ? "dir/config.json" : "dir/config.json: key \(key)"), "\(error)")
        #expect(error.finding.contains(word), "\(error)")
    }

    @Test func theWrongKindOfModelIsNamed() throws {
        let error = try #require(throws: CheckpointError.self) {
            try config(#"{"model_type":"clip"}"#).llava(path: "x/config.json")
        }
        #expect(error.description.contains("clip") && error.description.contains("llava"))
        // Nor is a language model alone offered as one that sees.
        let bare = try #require(throws: CheckpointError.self) {
            try config(#"{"model_type":"llama"}"#).llava(path: "x/config.json")
        }
        #expect(bare.finding.contains("sees no picture") && !bare.remedy.contains("llama"))
    }

    /// Configurations as the hub has them, which leave out what their classes know.
    @Test func publishedConfigurationsAreRead() throws {
        let smol = try config(
            """
            {"model_type":"idefics3","image_token_id":49190,"scale_factor":4,"tie_word_embeddings":false,
             "pad_token_id":128002,"vocab_size":49280,"use_cache":true,
             "text_config":{"model_type":"llama","head_dim":64,"hidden_size":576,"intermediate_size":1536,
               "num_attention_heads":9,"num_hidden_layers":30,"num_key_value_heads":3,"rope_theta":100000,
               "rms_norm_eps":1e-05,"max_position_embeddings":8192,"vocab_size":49280,"qk_layer_norms":false,
               "rope_interleaved":false,"rope_scaling":null,"is_llama_config":true,"pad_token_id":2},
             "vision_config":{"model_type":"idefics3","hidden_size":768,"image_size":512,"patch_size":16,
               "num_attention_heads":12,"max_image_size":{"longest_edge":512},"use_base_siglip":false}}
            """)
        guard case .smolVLM(let smol) = smol else { return #expect(Bool(false)) }
        #expect(smol.tileRows == 64 && smol.vision.layerCount == 12 && smol.vision.intermediateSize == 3072)
        #expect(smol.vision.activation == .geluTanh && smol.text.rotary.theta == 1e5)

        let vision = try config(
            """
            {"model_type":"llava_onevision","image_token_index":151646,"vision_aspect_ratio":"anyres_max_9",
             "text_config":{"model_type":"qwen2","hidden_size":896,"intermediate_size":4864,"num_attention_heads":14,
               "num_hidden_layers":24,"num_key_value_heads":2,"vocab_size":152000,"rope_theta":1000000.0,
               "sliding_window":32768,"max_window_layers":24,"tie_word_embeddings":true,"torch_dtype":"bfloat16"},
             "vision_config":{"model_type":"siglip_vision_model","hidden_size":1152,"intermediate_size":4304,
               "image_size":384,"patch_size":14,"num_attention_heads":16,"num_hidden_layers":26,
               "vision_use_head":false},
             "vision_feature_layer":-1,"vision_feature_select_strategy":"full","use_image_newline_parameter":true}
            """
        ).llava(path: "")
        #expect(vision.imageTokenCount == 730 && vision.visionLayersNeeded == 26 && vision.mostTiles == 9)
        #expect(vision.text.context == 32768 && vision.text.tieWordEmbeddings && vision.text.headDim == 64)

        let text =
            #""num_key_value_heads":2,"sliding_window":32768,"use_sliding_window":false,"rms_norm_eps":1e-06"#
        let qwens = try [
            """
            {"model_type":"qwen2_vl","hidden_size":1536,"intermediate_size":8960,"num_attention_heads":12,
             "num_hidden_layers":28,"max_position_embeddings":32768,"vocab_size":151936,"eos_token_id":151645,
             "tie_word_embeddings":true,"rope_scaling":{"type":"mrope","mrope_section":[16,24,24]},\(text),
             "vision_config":{"depth":32,"embed_dim":1280,"hidden_size":1536,"mlp_ratio":4,"num_heads":16,
               "in_chans":3,"patch_size":14,"spatial_merge_size":2,"temporal_patch_size":2}}
            """,
            """
            {"model_type":"qwen2_5_vl","hidden_size":2048,"intermediate_size":11008,"num_attention_heads":16,
             "num_hidden_layers":36,"max_position_embeddings":128000,"vocab_size":151936,"eos_token_id":151645,
             "tie_word_embeddings":true,
             "rope_scaling":{"type":"default","rope_type":"default","mrope_section":[16,24,24]},\(text),
             "vision_config":{"depth":32,"hidden_act":"silu","hidden_size":1280,"intermediate_size":3420,
               "num_heads":16,"in_chans":3,"out_hidden_size":2048,"patch_size":14,"window_size":112,
               "fullatt_block_indexes":[7,15,23,31],"tokens_per_second":2}}
            """,
        ].map { try config($0) }
        for (config, width) in zip(qwens, [1536, 2048]) {
            guard case .qwen2VL(let config) = config else { return #expect(Bool(false)) }
            #expect(config.vision.hiddenSize == 1280 && config.vision.outputSize == width)
            #expect(config.text.headDim == 128 && config.text.rotary.sections == [16, 24, 24])
            #expect(config.text.tieWordEmbeddings && config.text.rotary.theta == 1e6)
        }
    }

    /// LLaVA-1.5-7B and LLaVA-1.6-Mistral-7B as LLaVA's own code published them.
    @Test func configurationsOfLLaVAsOwnCodeAreRead() throws {
        let common =
            #""mm_hidden_size":1024,"mm_projector_type":"mlp2x_gelu","mm_resampler_type":null,"use_mm_proj":true,"#
            + #""mm_use_im_patch_token":false,"mm_use_im_start_end":false,"mm_vision_select_feature":"patch","#
            + #""mm_vision_select_layer":-2,"mm_vision_tower":"openai/clip-vit-large-patch14-336","#
        let old = try config(
            """
            {"architectures":["LlavaLlamaForCausalLM"],"model_type":"llava","bos_token_id":1,"eos_token_id":2,
             "pad_token_id":0,\(common)"hidden_size":4096,"image_aspect_ratio":"pad","image_grid_pinpoints":null,
             "intermediate_size":11008,"max_position_embeddings":4096,"num_attention_heads":32,"rope_scaling":null,
             "num_hidden_layers":32,"num_key_value_heads":32,"rms_norm_eps":1e-05,"vocab_size":32000,
             "torch_dtype":"float16"}
            """
        ).llava(path: "")
        #expect(old.kind == .llava && old.isOriginal && old.aspectRatio == .pad && old.elementType == .f16)
        #expect(old.vision.layerCount == 24 && old.imageTokenCount == 576 && old.visionLayersNeeded == 23)
        #expect(old.text.context == 4096 && old.text.rmsNormEpsilon == 1e-5 && old.text.padTokenID == 0)
        // No id of its vocabulary stands for a picture.
        #expect(old.imageTokenID >= old.text.vocabSize)

        let next = try config(
            """
            {"architectures":["LlavaMistralForCausalLM"],"model_type":"llava_mistral","eos_token_id":2,\(common)
             "hidden_size":4096,"image_aspect_ratio":"anyres","mm_patch_merge_type":"spatial_unpad",
             "image_grid_pinpoints":[[336,672],[672,336],[672,672],[1008,336],[336,1008]],
             "intermediate_size":14336,"max_position_embeddings":32768,"num_attention_heads":32,
             "num_hidden_layers":32,"num_key_value_heads":8,"rope_theta":1000000.0,"sliding_window":null,
             "unfreeze_mm_vision_tower":true,"vocab_size":32000,"torch_dtype":"bfloat16"}
            """
        ).llava(path: "")
        #expect(next.kind == .next && next.text.kind == .mistral && next.text.context == 32768)
        // Height first, as transformers has them.
        #expect(next.gridPinpoints == [[672, 336], [336, 672], [672, 672], [336, 1008], [1008, 336]])
        #expect(
            next.text.rotary.theta == 1e6 && next.text.keyValueHeadCount == 8 && next.imageTokenCount == 577)
        // transformers' files may carry keys of the original.
        #expect(
            try !config(#"{"model_type":"llava","mm_vision_tower":"clip","text_config":{}}"#).llava(path: "")
                .isOriginal)
    }

    /// A window bounds what is read; within it nothing differs from a model without one.
    @Test func windowsBoundTheContext() throws {
        func text(_ json: String) throws -> LlamaConfig {
            try config("{\"model_type\":\"llava\",\"text_config\":\(json)}").llava(path: "").text
        }
        #expect(try text(#"{"model_type":"mistral"}"#).context == 4096)
        #expect(try text(#"{"model_type":"mistral","sliding_window":null}"#).context == 131_072)
        #expect(try text(#"{"model_type":"qwen2","sliding_window":64}"#).context == 32768)
        #expect(
            try text(#"{"model_type":"qwen2","sliding_window":64,"use_sliding_window":true}"#).context == 64)
        #expect(try text(#"{"model_type":"phi3","sliding_window":2047}"#).context == 2047)
        let qwen = try text(#"{"model_type":"qwen2","num_attention_heads":16}"#)
        #expect(qwen.queryKeyValueBias && !qwen.outputBias && qwen.eosTokenIDs.isEmpty)
    }

    @Test(arguments: ["llava-grouped", "llava-tied", "llava-legacy", "clip-first-eos", "clip-highest-id"])
    func configsOfTransformersSurviveTheRoundTrip(directory: String) throws {
        let url = oracle.appendingPathComponent("\(directory)/config.json")
        let config = try ModelConfig(Data(contentsOf: url), path: url.path)
        let scratch = try ScratchDirectory()
        try config.write(to: scratch.file("config.json"))
        let written = try Data(contentsOf: scratch.file("config.json"))
        #expect(try ModelConfig(written, path: "") == config)
        let object = try #require(JSONSerialization.jsonObject(with: written) as? [String: Any])
        #expect(object["architectures"] as? [String] == [config.architecture])
        if case .clip(let clip) = config {
            #expect(clip.text.poolsAtHighestID == (directory == "clip-highest-id"))
        }
    }
}
