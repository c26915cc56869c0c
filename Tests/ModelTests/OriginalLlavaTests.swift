import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import OracleFixtures
import Testing
import Tokenizer

/// LLaVAs in the layout of LLaVA's own code (`make_original.py`) against the same weights in transformers' layout, and
/// against what that code does with prompts and pictures.
@Suite struct OriginalLlavaTests {
    private static let root = Oracle.root.appendingPathComponent("original")
    /// The tower lies apart in the first, and inside in the second, which has no tokenizer.
    static let twins = [("llava-1.5", "llava-legacy"), ("llava-1.6", "families/llava-next")]

    private static func folder(_ name: String) -> URL { root.appendingPathComponent(name) }

    private static func llava(_ folder: URL) throws -> Llava {
        let checkpoint = try CheckpointDirectory.open(folder)
        return try Llava(
            CheckpointSource(checkpoint, compute: .f32), config: checkpoint.config().llava(path: folder.path))
    }

    /// With the tokenizer of `tokenizer`, or its own.
    private static func model(_ name: String, tokenizer: URL? = nil) throws -> VisionLanguageModel {
        let checkpoint = try CheckpointDirectory.open(folder(name))
        return try VisionLanguageModel(
            directory: folder(name), family: llava(folder(name)),
            tokenizer: Tokenizer(directory: tokenizer ?? folder("llava-1.5")), checkpoint: checkpoint)
    }

    // MARK: - Numbers

    private struct Said: Equatable {
        let features: [Float]
        let logits: [Float]
        let greedy: [Int32]
    }

    private static func said(
        by model: Llava, _ input: TowerInput, prompt: [Int32], count: Int
    ) -> Said {
        let arena = Arena()
        let images = model.features(of: [input], arena)
        var ids = prompt
        var first: [Float] = []
        while ids.count < prompt.count + count {
            var forest = TokenForest()
            let span = forest.add(ids)
            let rows = forest.spans[span].rows
            let hidden = model.decoder.forward(forest, features: images.values, arena).hidden
            let logits = model.decoder.logits(hidden.rows(rows), arena).values
            let last = logits.suffix(logits.count / rows.count)
            if first.isEmpty { first = logits }
            ids.append(Int32(last.indices.max { last[$0] < last[$1] }! - last.startIndex))
        }
        return Said(features: images.values.values, logits: first, greedy: Array(ids[prompt.count...]))
    }

    /// To the bit.
    @Test(arguments: twins) func theSameNumbersInBothLayouts(name: String, twin: String) throws {
        let (model, other) = try (
            Self.llava(Self.folder(name)), Self.llava(Oracle.root.appendingPathComponent(twin))
        )
        #expect(model.parameters.map(\.name) == other.parameters.map(\.name))
        let (input, prompt, greedy) = try Self.expectation(twin, image: other.config.imageTokenID)
        let found = Self.said(by: model, input, prompt: prompt, count: greedy.count)
        #expect(found == Self.said(by: other, input, prompt: prompt, count: greedy.count))
        #expect(found.greedy == greedy)
    }

    private static func expectation(_ twin: String, image: Int) throws -> (TowerInput, [Int32], [Int32]) {
        guard !twin.hasPrefix("families/") else {
            let oracle = FamilyOracle.named(String(twin.dropFirst("families/".count)))
            let expected = try oracle.expectation()
            return (try oracle.input(), expand(expected.promptIds, image: image), expected.greedy.ids)
        }
        let expected: LlavaExpectation = try Oracle.json(twin)
        let input = try Oracle.inputs(Oracle.tensors("\(twin).forward"))[0]
        return (input, expand(expected.turns[0].promptIds, image: image), expected.greedy[0].ids)
    }

    // MARK: - What LLaVA's code does

    private struct Expected: Decodable {
        struct Turn: Decodable {
            let prompt: String
            let answer: String
            let promptIds: [Int32]
            let answerIds: [Int32]
        }
        let prepended: [Turn]
        let firstOnly: [Turn]
        /// Height, width, tiles down and across, rows.
        let layouts: [[Int]]
    }

    /// A tokenizer may treat the beginning of a text like that of every part of it, or not: the parts around a picture are
    /// texts.
    @Test func idsAreThoseOfThePartsAroundThePicture() throws {
        let expected: Expected = try Oracle.json("original/expected")
        let tied = Oracle.root.appendingPathComponent("llava-tied")
        let cases: [([Expected.Turn], URL?)] = [(expected.prepended, nil), (expected.firstOnly, tied)]
        for (turns, tokenizer) in cases {
            let model = try Self.model("llava-1.5", tokenizer: tokenizer)
            #expect(model.template.name == "vicuna_v1")
            let rows = model.pictureTokens(.tile)
            #expect(rows.count == 16)
            var history: [(prompt: String, answer: String)] = []
            for turn in turns {
                let encoded = try model.encode(
                    prompt: turn.prompt, history: history, picture: .tile, answers: [turn.answer])
                #expect(encoded.prompt == turn.promptIds.flatMap { $0 == -200 ? rows : [$0] })
                #expect(encoded.answers == [turn.answerIds])
                history.append((turn.prompt, turn.answer))
            }
            let blind = try model.encode(prompt: "Why?", picture: nil).prompt
            #expect(blind.allSatisfy { $0 >= 0 && $0 < 352 } && blind[0] == 1)
            let error = #expect(throws: PromptError.self) {
                try model.encode(prompt: "Why?", picture: .tile, answers: ["An <image> there."])
            }
            #expect(error?.finding == "the answer holds the token <image> as text")
        }
    }

    @Test func picturesArePaddedOrCut() throws {
        let file = try Oracle.tensors("original/pixels")
        let padding = try Self.model("llava-1.5").images
        let cutting = try Self.model("llava-1.6").images
        for backend in [Resampling.pillow, .torchvision] {
            let images = try padding.reading(as: PictureReading(alpha: .white, resampling: backend))
            let expected = try Oracle.pictures(file, "pad.\(backend)")
            for (index, pixels) in expected.enumerated() {
                let found = try images.input(at: Self.picture(index + 1))
                // A level is 0.0145.
                #expect(found.tiles.count == 1 && largestDifference(found.tiles[0], pixels) < 1e-5)
            }
        }
        let images = try cutting.reading(as: PictureReading(alpha: .white, resampling: .pillow))
        for index in 1...2 {
            let found = try images.input(at: Self.picture(index)).tiles
            let expected = try Oracle.pictures(file, "tiles.\(index)")
            #expect(found.count == expected.count && found.count > 2)
            for (tile, pixels) in zip(found, expected) { #expect(largestDifference(tile, pixels) < 1e-5) }
        }
    }

    private static func picture(_ index: Int) -> String {
        Oracle.root.appendingPathComponent("pictures/picture-\(index).png").path
    }

    /// In LLaVA-1.6's shapes; a few sizes have other margins where these are rounded.
    @Test func rowsAreThoseOfTheMapWithoutItsPadding() throws {
        let json = """
            {"model_type":"llava_llama","mm_vision_tower":"openai/clip-vit-large-patch14-336","hidden_size":8,
             "mm_projector_type":"mlp2x_gelu","image_aspect_ratio":"anyres","mm_patch_merge_type":"spatial_unpad",
             "num_attention_heads":2,"num_hidden_layers":1,"intermediate_size":8,"vocab_size":8,
             "image_grid_pinpoints":[[336,672],[672,336],[672,672],[1008,336],[336,1008]]}
            """
        var config = try ModelConfig(Data(json.utf8), path: "").llava(path: "")
        (config.vision.hiddenSize, config.vision.intermediateSize) = (8, 8)
        (config.vision.layerCount, config.vision.headCount) = (1, 2)
        let model = try Llava(SpreadSource(seed: 1), config: config)
        config.aspectRatio = nil
        let rounding = try Llava(SpreadSource(seed: 1), config: config)
        let images = try AnyResolutionProcessor(
            cuttingFor: ImageProcessor(square: 336),
            shapes: #require(config.gridPinpoints).map { PictureSize(height: $0[0], width: $0[1]) })
        let expected: Expected = try Oracle.json("original/expected")
        var others = 0
        for layout in expected.layouts {
            let shape = images.shape(of: PictureSize(height: layout[0], width: layout[1]))
            #expect(
                [shape.grid.height, shape.grid.width, model.rows(of: shape)] == Array(layout[2...]),
                "\(layout)")
            if rounding.rows(of: shape) != layout[4] { others += 1 }
        }
        #expect((1...5).contains(others))
    }

    // MARK: - Folders

    private struct Scratch {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")

        init(copying name: String) throws {
            try FileManager.default.copyItem(at: OriginalLlavaTests.folder(name), to: url)
        }

        func edit(_ text: String, to other: String) throws {
            let file = url.appendingPathComponent("config.json")
            let old = try String(contentsOf: file, encoding: .utf8)
            #expect(old.contains(text))
            try Data(old.replacingOccurrences(of: text, with: other).utf8).write(to: file)
        }

        func remove() { try? FileManager.default.removeItem(at: url) }
    }

    /// config.json, names and tensors come back; the tower is inside then.
    @Test(arguments: ["llava-1.5", "llava-1.6"]) func isWrittenInItsOwnLayout(name: String) throws {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        defer { try? FileManager.default.removeItem(at: place) }
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let (model, stored) = try (Self.model(name), CheckpointDirectory.open(Self.folder(name)))
        try model.write(to: place, as: .bf16)
        let written = try CheckpointDirectory.open(place)
        #expect(written.files.map(\.names) == [stored.names.map { TensorNames.original($0) }.sorted()])
        #expect(written.names == stored.names && written.names.allSatisfy { !$0.contains("mm_projector") })
        for name in stored.names { #expect(try written.floats(name) == stored.floats(name)) }
        #expect(try written.config() == stored.config())
        let again = try VisionLanguageModel(
            directory: place, family: Self.llava(place), tokenizer: model.tokenizer, checkpoint: written)
        #expect("\(again.images)" == "\(model.images)")
    }

    /// Where `mm_vision_tower` is a path from config.json on, or from the root; of a whole CLIP only the tower is taken.
    @Test func theTowerMayBeACLIPElsewhere() throws {
        let place = try Scratch(copying: "llava-1.5")
        defer { place.remove() }
        let (apart, clip) = (
            place.url.appendingPathComponent("vision_tower"), place.url.appendingPathComponent("openai/clip")
        )
        let file = try SafetensorsFile(apart.appendingPathComponent("model.safetensors"))
        let prefix = file.names[0].hasPrefix("vision_model.") ? "" : "vision_model."
        try FileManager.default.createDirectory(at: clip, withIntermediateDirectories: true)
        let other = SafetensorsWriter.Tensor("text_model.x", shape: [1], as: .f32, values: [1])
        try SafetensorsWriter.write(
            file.names.map { .init(copying: try file.tensor(named: $0), as: prefix + $0) } + [other],
            to: clip.appendingPathComponent("model.safetensors"))
        let shape = try String(contentsOf: apart.appendingPathComponent("config.json"), encoding: .utf8)
        try Data(#"{"model_type":"clip","vision_config":\#(shape)}"#.utf8)
            .write(to: clip.appendingPathComponent("config.json"))
        try FileManager.default.removeItem(at: apart)

        let stored = try CheckpointDirectory.open(Self.folder("llava-1.5"))
        let hub = "openai/clip-vit-large-patch14-336"
        for (before, path) in [(hub, "openai/clip"), ("openai/clip", clip.path)] {
            try place.edit(#""\#(before)""#, to: #""\#(path)""#)
            let found = try CheckpointDirectory.open(place.url)
            #expect(found.names == stored.names)
            for name in stored.names { #expect(try found.floats(name) == stored.floats(name)) }
            #expect(try found.config() == stored.config())
        }
    }

    @Test func aTowerThatIsMissingOrAnotherIsNamed() throws {
        let place = try Scratch(copying: "llava-1.5")
        defer { place.remove() }
        func refusal() -> String {
            let error = #expect(throws: CheckpointError.self) {
                try CheckpointDirectory.open(place.url).config()
            }
            return error?.description ?? ""
        }
        try place.edit(#""mm_hidden_size": 48"#, to: #""mm_hidden_size": 1024"#)
        #expect(refusal().contains("key mm_hidden_size: 1024 is not the width of the vision tower, 48"))
        try place.edit(#""mm_hidden_size": 1024"#, to: #""mm_hidden_size": 48"#)
        try place.edit(#""mm_vision_select_layer": -2"#, to: #""mm_vision_select_layer": -4"#)
        #expect(refusal().contains("key mm_vision_select_layer: -4 is outside the tower's 2 layers"))
        try FileManager.default.removeItem(at: place.url.appendingPathComponent("vision_tower"))
        let missing = refusal()
        #expect(missing.contains("\"openai/clip-vit-large-patch14-336\" is not among the weights"))
        #expect(missing.contains("into \(place.url.path)/vision_tower"))
    }
}
