import Checkpoint
import Foundation
import Imaging
import Tokenizer

// MARK: - What a LLaVA in the layout of its own code keeps elsewhere than transformers does

extension ModelConfig {
    /// That of LLaVA's own code; nil in other layouts.
    private var original: LlavaConfig? {
        if case .llava(let config) = self, config.isOriginal { config } else { nil }
    }

    var isOriginalLlava: Bool { original != nil }

    /// The template in which a model was trained, where neither a Jinja text nor the vocabulary tells.
    var usualTemplate: String {
        guard let original else { return "llava" }
        return original.text.kind == .mistral ? "mistral" : "vicuna_v1"
    }

    /// The preprocessing that lies in `folder`, in LLaVA's own layout that of the tower.
    ///
    /// - Throws: `ImageError`.
    func pictureProcessor(in folder: URL) throws -> any PictureProcessor {
        guard let original, let ratio = original.aspectRatio else {
            return try readPictureProcessor(directory: folder)
        }
        let side = original.vision.imageSize
        let tower =
            original.vision.kind == .clip && !hasPictureProcessor(in: folder)
            ? try ImageProcessor(square: side, pad: ratio == .pad)
            : try ImageProcessor(directory: folder, pad: ratio == .pad)
        if ratio == .resize { return try tower.squeezing() }
        guard ratio == .anyres else { return tower }
        let shapes = (original.gridPinpoints ?? []).map { PictureSize(height: $0[0], width: $0[1]) }
        return try AnyResolutionProcessor(cuttingFor: tower, shapes: shapes)
    }
}

extension VisionLanguageModel {
    /// Ids of a text. A checkpoint in LLaVA's own layout has no token for a picture: what stands around its marker is read
    /// as texts of their own, the first with its start token (`tokenizer_image_token` of llava/mm_utils.py).
    func ids(of text: String, addSpecialTokens: Bool = false) -> [Int32] {
        guard hasNoImageToken else { return tokenizer.encode(text, addSpecialTokens: addSpecialTokens) }
        let parts = text.components(separatedBy: ChatTemplate.image).map {
            tokenizer.encode($0, addSpecialTokens: addSpecialTokens)
        }
        let start = tokenizer.bos != nil && parts[0].first == tokenizer.bos ? 1 : 0
        return parts.dropFirst().reduce(parts[0]) { $0 + [Int32(family.imageTokenID)] + $1.dropFirst(start) }
    }

    /// A token as text.
    func piece(_ id: Int32) -> String {
        hasNoImageToken && id == family.imageTokenID ? ChatTemplate.image : tokenizer.pieces([id])[0]
    }

    private var hasNoImageToken: Bool { family.modelConfig.isOriginalLlava }
}
