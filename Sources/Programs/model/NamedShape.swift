import Checkpoint
import Files
import Foundation
import StageKit

/// A family's model of a size that people speak of, by the sizes of its published configuration.
struct NamedShape {
    private enum Kind: String, CaseIterable {
        case llava
        case oneVision = "llava-onevision"
        case smolVLM = "smolvlm"
        case qwen2VL = "qwen2-vl"
        case qwen25VL = "qwen2.5-vl"

        /// `tiny` is for tests.
        var sizes: [String] {
            switch self {
            case .llava: ["tiny", "0.8b", "1.4b", "7b", "13b"]
            case .oneVision: ["tiny", "0.5b", "7b"]
            case .smolVLM: ["tiny", "256m", "500m", "2b"]
            case .qwen2VL: ["tiny", "2b", "7b"]
            case .qwen25VL: ["tiny", "3b", "7b"]
            }
        }
    }

    private let kind: Kind
    private let size: String

    static var families: [String] { Kind.allCases.map(\.rawValue) }
    static var table: String {
        Kind.allCases.map { "  \($0.rawValue): \($0.sizes.joined(separator: ", "))" }.joined(separator: "\n")
    }

    /// - Throws: `StageError` (usage).
    init(family: String, size: String) throws {
        guard let kind = Kind(rawValue: family) else {
            throw StageError.usage(
                "\(family): no such family; name one of \(Self.families.joined(separator: ", "))")
        }
        guard kind.sizes.contains(size) else {
            throw StageError.usage(
                "--size \(size): \(family) has \(kind.sizes.joined(separator: ", "))")
        }
        (self.kind, self.size) = (kind, size)
    }

    // MARK: - Configurations

    func config() throws -> ModelConfig {
        switch kind {
        case .llava: .llava(llava())
        case .oneVision: .llava(oneVision())
        case .smolVLM: .smolVLM(smolVLM())
        case .qwen2VL: .qwen2VL(qwenVL(.qwen2))
        case .qwen25VL: .qwen2VL(qwenVL(.qwen25))
        }
    }

    /// Width, inner width, layers, heads, key/value heads and head width of a decoder.
    private typealias Sizes = (width: Int, inner: Int, layers: Int, heads: Int, groups: Int, head: Int)

    private func decoder(_ kind: LlamaConfig.Kind, _ sizes: Sizes, vocabulary: Int, context: Int)
        -> LlamaConfig
    {
        var config = LlamaConfig(defaultsOf: kind)
        (config.hiddenSize, config.intermediateSize, config.layerCount) = (
            sizes.width, sizes.inner, sizes.layers
        )
        (config.headCount, config.keyValueHeadCount, config.headDim) = (sizes.heads, sizes.groups, sizes.head)
        (config.vocabSize, config.maxPositionEmbeddings) = (vocabulary, context)
        config.bosTokenID = tokens.beginning
        config.eosTokenIDs = [tokens.end]
        config.padTokenID = nil
        return config
    }

    private static let tiny: Sizes = (32, 48, 2, 4, 2, 8)
    private static let qwen2Small: Sizes = (896, 4864, 24, 14, 2, 64)
    private static let qwen2Large: Sizes = (3584, 18944, 28, 28, 4, 128)

    private func llava() -> LlavaConfig {
        var config = LlavaConfig()
        config.imageTokenID = tokens.image
        switch size {
        case "0.8b":
            config.text = decoder(.qwen2, Self.qwen2Small, vocabulary: 151_936, context: 32768)
            (config.text.rotary.theta, config.text.tieWordEmbeddings) = (1e6, true)
        case "1.4b":
            config.text = decoder(.llama, (2048, 5632, 22, 32, 4, 64), vocabulary: 32064, context: 4096)
        case "7b":
            config.text = decoder(.llama, (4096, 11008, 32, 32, 32, 128), vocabulary: 32064, context: 4096)
        case "13b":
            config.text = decoder(.llama, (5120, 13824, 40, 40, 40, 128), vocabulary: 32064, context: 4096)
        default:
            config.text = decoder(.llama, Self.tiny, vocabulary: 384, context: 512)
            config.vision = ClipVisionConfig()
            (config.vision.hiddenSize, config.vision.intermediateSize) = (32, 48)
            (config.vision.layerCount, config.vision.headCount) = (2, 4)
            (config.vision.imageSize, config.vision.patchSize) = (32, 8)
        }
        config.text.rmsNormEpsilon = 1e-5
        return config
    }

    private func oneVision() -> LlavaConfig {
        var config = LlavaConfig(defaultsOf: .oneVision)
        (config.imageTokenID, config.videoTokenID) = (tokens.image, tokens.video)
        config.gridPinpoints = pinpoints
        switch size {
        case "0.5b": config.text = decoder(.qwen2, Self.qwen2Small, vocabulary: 152_000, context: 32768)
        case "7b": config.text = decoder(.qwen2, Self.qwen2Large, vocabulary: 152_128, context: 32768)
        default:
            config.text = decoder(.qwen2, Self.tiny, vocabulary: 384, context: 2048)
            (config.vision.hiddenSize, config.vision.intermediateSize) = (32, 48)
            (config.vision.layerCount, config.vision.headCount) = (2, 4)
            (config.vision.imageSize, config.vision.patchSize) = (32, 8)
        }
        config.text.rotary.theta = 1e6
        config.text.tieWordEmbeddings = size == "0.5b"
        return config
    }

    private var side: Int { size == "tiny" ? 32 : kind == .smolVLM ? (size == "2b" ? 384 : 512) : 384 }
    private var pinpoints: [[Int]] { (1...6).flatMap { down in (1...6).map { [down * side, $0 * side] } } }

    private func smolVLM() -> SmolVLMConfig {
        var config = SmolVLMConfig()
        config.imageTokenID = tokens.image
        (config.vision.imageSize, config.vision.patchSize, config.scaleFactor) = (side, 16, 4)
        (config.vision.hiddenSize, config.vision.intermediateSize) = (768, 3072)
        (config.vision.layerCount, config.vision.headCount) = (12, 12)
        switch size {
        case "256m":
            config.text = decoder(.llama, (576, 1536, 30, 9, 3, 64), vocabulary: 49280, context: 8192)
        case "500m":
            config.text = decoder(.llama, (960, 2560, 32, 15, 5, 64), vocabulary: 49280, context: 8192)
        case "2b":
            config.text = decoder(.llama, (2048, 8192, 24, 32, 32, 64), vocabulary: 49280, context: 16384)
            (config.vision.hiddenSize, config.vision.intermediateSize) = (1152, 4304)
            (config.vision.layerCount, config.vision.headCount) = (27, 16)
            (config.vision.patchSize, config.scaleFactor) = (14, 3)
        default:
            config.text = decoder(.llama, Self.tiny, vocabulary: 384, context: 1024)
            (config.vision.hiddenSize, config.vision.intermediateSize) = (32, 48)
            (config.vision.layerCount, config.vision.headCount) = (2, 4)
            (config.vision.patchSize, config.scaleFactor) = (8, 2)
        }
        (config.text.rmsNormEpsilon, config.text.rotary.theta) = (1e-5, 100_000)
        return config
    }

    private func qwenVL(_ kind: Qwen2VLConfig.Kind) -> Qwen2VLConfig {
        var config = Qwen2VLConfig(defaultsOf: kind)
        let own: LlamaConfig.Kind = kind == .qwen2 ? .qwen2VL : .qwen25VL
        config.imageTokenID = tokens.image
        config.otherTokenIDs = [tokens.video, tokens.image - 2, tokens.image - 1]
        config.vision.hiddenSize = 1280
        config.vision.intermediateSize = kind == .qwen2 ? 5120 : 3420
        switch size {
        case "2b":
            config.text = decoder(own, (1536, 8960, 28, 12, 2, 128), vocabulary: 151_936, context: 32768)
        case "3b":
            config.text = decoder(own, (2048, 11008, 36, 16, 2, 128), vocabulary: 151_936, context: 128_000)
        case "7b": config.text = decoder(own, Self.qwen2Large, vocabulary: 152_064, context: 32768)
        default:
            config.text = decoder(own, Self.tiny, vocabulary: 384, context: 2048)
            (config.vision.hiddenSize, config.vision.intermediateSize) = (32, 64)
            (config.vision.layerCount, config.vision.headCount) = (2, 2)
            (config.vision.patchSize, config.vision.windowSize, config.vision.wholeLayers) = (
                8, 32, kind == .qwen25 ? [1] : nil
            )
        }
        let pairs = config.text.headDim / 2
        config.text.rotary.sections = [pairs / 4, pairs * 3 / 8, pairs - pairs / 4 - pairs * 3 / 8]
        (config.text.rotary.theta, config.text.rmsNormEpsilon) = (1e6, 1e-6)
        config.text.tieWordEmbeddings = size == "2b" || size == "3b"
        config.vision.outputSize = config.text.hiddenSize
        return config
    }

    // MARK: - What lies beside the weights

    private var tokens: ByteTokenizer {
        switch kind {
        case .llava: .llava
        case .oneVision: .oneVision
        case .smolVLM: .smolVLM
        case .qwen2VL, .qwen25VL: .qwenVL
        }
    }

    /// Writes tokenizer and preprocessing.
    func writeCompanions(to folder: URL) throws {
        try tokens.write(to: folder)
        let place = folder.appendingPathComponent("preprocessor_config.json").path
        try AtomicFile.write("{\n  \(preprocessing.joined(separator: ",\n  "))\n}\n", to: place)
    }

    private var preprocessing: [String] {
        let half = #""image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]"#
        switch kind {
        case .llava:
            let side = size == "tiny" ? 32 : 336
            return [
                #""image_processor_type": "CLIPImageProcessor""#, #""size": {"shortest_edge": \#(side)}"#,
                #""crop_size": {"height": \#(side), "width": \#(side)}"#,
            ]
        case .oneVision:
            return [
                #""image_processor_type": "LlavaOnevisionImageProcessor""#,
                #""size": {"height": \#(side), "width": \#(side)}"#,
                #""image_grid_pinpoints": \#(pinpoints)"#, half,
            ]
        case .smolVLM:
            return [
                #""image_processor_type": "Idefics3ImageProcessor""#,
                #""size": {"longest_edge": \#(4 * side)}"#, #""max_image_size": {"longest_edge": \#(side)}"#,
                #""do_image_splitting": true"#, half,
            ]
        case .qwen2VL, .qwen25VL:
            let patch = size == "tiny" ? 8 : 14
            return [
                #""image_processor_type": "Qwen2VLImageProcessor""#, #""patch_size": \#(patch)"#,
                #""merge_size": 2"#, #""temporal_patch_size": 2"#, #""min_pixels": \#(4 * patch * patch)"#,
                #""max_pixels": \#(size == "tiny" ? 16384 : 12_845_056)"#,
            ]
        }
    }
}
