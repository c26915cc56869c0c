import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import OracleFixtures
import Testing
import Tokenizer

/// VILA's folders (`make_vila.py`): ids, pixels, what is written and what is refused. Features, logits, gradients, answers
/// and greedy tokens of the same models are tested with all families.
@Suite struct VilaTests {
    static let names = ["vila", "vila-odd", "vila-mlp"]

    private static func folder(_ name: String) -> URL { FamilyOracle.named(name).folder }

    /// With the one tokenizer that there is.
    private static func model(_ folder: URL) throws -> VisionLanguageModel {
        let checkpoint = try CheckpointDirectory.open(folder)
        let family = try checkpoint.config().family(
            CheckpointSource(checkpoint, compute: .f32), path: folder.path)
        return try VisionLanguageModel(
            directory: folder, family: family,
            tokenizer: Tokenizer(directory: Self.folder("vila").appendingPathComponent("llm")),
            checkpoint: checkpoint)
    }

    // MARK: - Prompts and pictures

    private struct Expected: Decodable {
        struct Turn: Decodable {
            let prompt: String
            let answer: String
            let promptIds: [Int32]
            let answerIds: [Int32]
        }
        let turns: [Turn]
    }

    @Test func idsAreThoseOfThePartsAroundThePicture() throws {
        let model = try VisionLanguageModel(directory: Self.folder("vila"))
        #expect(model.template.name == "vicuna_v1")
        let rows = model.pictureTokens(.tile)
        #expect(rows.count == 4)
        var history: [(prompt: String, answer: String)] = []
        for turn in try Oracle.json("vila/expected", as: Expected.self).turns {
            let encoded = try model.encode(
                prompt: turn.prompt, history: history, picture: .tile, answers: [turn.answer])
            #expect(encoded.prompt == turn.promptIds.flatMap { $0 == -200 ? rows : [$0] })
            #expect(encoded.answers == [turn.answerIds])
            history.append((turn.prompt, turn.answer))
        }
        #expect(history.count == 2)
    }

    /// By Pillow unasked, whatever resizes for other towers.
    @Test func picturesAreSqueezed() throws {
        let expected = try Oracle.pictures(Oracle.tensors("vila/pixels"), "resize")
        #expect(expected.count == 2)
        let images = try Self.model(Self.folder("vila")).images
        for (index, pixels) in expected.enumerated() {
            let path = Oracle.root.appendingPathComponent("pictures/picture-\(index + 1).png").path
            // A level is 0.0078.
            #expect(largestDifference(try images.input(at: path).tiles[0], pixels) < 1e-5)
        }
    }

    // MARK: - Folders

    private struct Scratch {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")

        init(copying name: String) throws {
            try FileManager.default.copyItem(at: VilaTests.folder(name), to: url)
        }

        func edit(_ file: String, _ text: String, to other: String) throws {
            let file = url.appendingPathComponent(file)
            let old = try String(contentsOf: file, encoding: .utf8)
            #expect(old.contains(text))
            try Data(old.replacingOccurrences(of: text, with: other).utf8).write(to: file)
        }

        func remove(_ part: String = "") {
            try? FileManager.default.removeItem(at: url.appendingPathComponent(part))
        }
    }

    /// The same folders with the same tensors in them, a pooling head that isn't read among them, and configurations that
    /// say how they are stored.
    @Test(arguments: names) func isWrittenInItsOwnFolders(name: String) throws {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        defer { try? FileManager.default.removeItem(at: place) }
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let (model, stored) = try (
            Self.model(Self.folder(name)), CheckpointDirectory.open(Self.folder(name))
        )
        for type in [ElementType.bf16, .f32] {
            try model.write(to: place, as: type)
            let written = try CheckpointDirectory.open(place)
            #expect(
                Set(written.files.flatMap(\.names)) == Set(stored.files.flatMap(\.names))
                    && written.files.count == 3)
            #expect(written.names == stored.names)
            for name in stored.names {
                #expect(try written.shape(of: name) == stored.shape(of: name))
                #expect(try written.floats(name) == stored.floats(name))
            }
            var config = try written.config().llava(path: place.path)
            #expect(config.elementType == type)
            config.elementType = .bf16
            config.text.elementType = .bf16
            #expect(try config == stored.config().llava(path: ""))
            let top = try String(contentsOf: place.appendingPathComponent("config.json"), encoding: .utf8)
            #expect(top.contains(#""model_dtype": "torch.\#(type.torchName)""#))
            #expect(top.contains(#""torch_dtype":"\#(type.torchName)""#) && !top.contains("\"dtype\""))
            #expect("\(try Self.model(place).images)" == "\(model.images)")
        }
    }

    /// Every part counts in the digest; where the folder lies doesn't.
    @Test func everyPartHasAPartInTheDigest() throws {
        let digest = try CheckpointDirectory.open(Self.folder("vila")).digest()
        for part in ["", "llm/", "mm_projector/", "vision_tower/"] {
            let place = try Scratch(copying: "vila")
            defer { place.remove() }
            #expect(try CheckpointDirectory.open(place.url).digest() == digest)
            try place.edit("\(part)config.json", "transformers_version", to: "made_by")
            #expect(try CheckpointDirectory.open(place.url).digest() != digest)
        }
        for part in VilaFolders.Part.allCases {
            let place = try Scratch(copying: "vila")
            defer { place.remove() }
            let file = place.url.appendingPathComponent("\(part.rawValue)/model.safetensors")
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count - 1] ^= 1
            try bytes.write(to: file)
            #expect(try CheckpointDirectory.open(place.url).digest() != digest)
        }
    }

    /// What weights take is told by their headers, not by what a configuration remembers.
    @Test func aStaleElementTypeChangesNothing() throws {
        let place = try Scratch(copying: "vila")
        defer { place.remove() }
        try place.edit("llm/config.json", #""dtype": "bfloat16""#, to: #""dtype": "float32""#)
        let models = try [Self.folder("vila"), place.url].map { folder in
            let checkpoint = try CheckpointDirectory.open(folder)
            return try checkpoint.config().family(CheckpointSource(checkpoint), path: folder.path)
        }
        #expect(models[0].weightBytes == models[1].weightBytes && models[0].weightBytes > 0)
        let (stored, stale) = (try Self.model(Self.folder("vila")), try Self.model(place.url))
        #expect(stored.storedType == .bf16 && stale.storedType == .bf16)
    }

    // MARK: - What isn't one

    /// A file, what is replaced in it by what, and words of the refusal.
    @Test(arguments: [
        ("mm_projector/config.json", "\"mlp_downsample\"", "\"linear\"", "\"linear\" is not supported"),
        (
            "mm_projector/config.json", "\"mlp_downsample\"", "\"mlp_downsample_3x3_fix\"",
            "key mm_projector_type: \"mlp_downsample_3x3_fix\" is not supported"
        ),
        ("config.json", "\"s2\": false", "\"s2\": true", "key s2: true is not supported"),
        ("config.json", "\"s2\": false", "\"image_encoder\": \"\"", "NVILA's code is not supported"),
        ("config.json", "\"resize\"", "\"dynamic\"", "key image_aspect_ratio: \"dynamic\" is not"),
        ("config.json", "\"cls_patch\"", "\"patch\"", "would leave out a patch"),
        (
            "config.json", "\n \"hidden_size\": 16", "\n \"hidden_size\": 8",
            "key hidden_size: 8 is not the width of the decoder, 16"
        ),
        ("config.json", "\"mm_hidden_size\": 24", "\"mm_hidden_size\": 8", "width of the vision tower, 24"),
        (
            "vision_tower/config.json", "siglip_vision_model", "intern_vit_6b",
            "vision_tower/config.json: key model_type: \"intern_vit_6b\" is not supported"
        ),
    ])
    func whatIsNotComputedIsNamed(file: String, text: String, other: String, says: String) throws {
        let place = try Scratch(copying: "vila")
        defer { place.remove() }
        try place.edit(file, text, to: other)
        let error = #expect(throws: CheckpointError.self) {
            try CheckpointDirectory.open(place.url).config()
        }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: ["llm", "mm_projector", "vision_tower"])
    func aMissingPartIsNamed(part: String) throws {
        let place = try Scratch(copying: "vila")
        defer { place.remove() }
        func refusal() -> String {
            let error = #expect(throws: CheckpointError.self) { try CheckpointDirectory.open(place.url) }
            return error?.description ?? ""
        }
        place.remove("\(part)/model.safetensors")
        #expect(refusal().contains("/\(part): it has neither model.safetensors nor"))
        place.remove(part)
        #expect(refusal().contains("its folder \(part) is missing, or has no config.json; fetch the whole"))
    }
}
