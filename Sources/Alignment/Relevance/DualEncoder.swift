import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import Tokenizer

/// What a relevance model is built on: two towers into one space, and how texts and pictures come to them.
protocol DualEncoder {
    var tokenizer: Tokenizer { get }
    /// Tokens of a text at most.
    var limit: Int { get }
    var vocabularySize: Int { get }
    /// Bytes that a picture, and a token of a text, take in a pass, about.
    var pictureBytes: Int { get }
    var tokenBytes: Int { get }

    /// What of a processor doesn't fit the vision tower; nil where it does.
    func check(_ processor: any PictureProcessor) -> String?

    /// Unit vectors `[N × C]`.
    func embed(_ pictures: [TowerInput], _ arena: Arena) -> Matrix

    /// Unit vectors `[N × C]` of texts by their ids, as the tokenizer gives them or cut to the limit.
    func embed(_ texts: [[Int32]], _ arena: Arena) -> Matrix

    /// Whether a text can be read where its end is looked for.
    func isEnded(_ ids: [Int32]) -> Bool

    /// The number that was learned as the log of the odds that picture and text belong together; nil where none was.
    func logit(_ cosine: Double) -> Double?
}

extension DualEncoder {
    /// Activations that a pass keeps for one token, about.
    static func bytesPerToken(_ width: Int, _ inner: Int, _ layers: Int) -> Int {
        4 * layers * (10 * width + 2 * inner)
    }

    static func misfit(_ processor: any PictureProcessor, side: Int) -> String? {
        guard let processor = processor as? ImageProcessor else {
            return "it makes pictures of several tiles or sizes, and the vision tower reads \(side)×\(side)"
        }
        if processor.outputWidth == side, processor.outputHeight == side { return nil }
        return "it makes pictures of \(processor.outputWidth)×\(processor.outputHeight) and the vision tower "
            + "reads \(side)×\(side)"
    }
}

/// Opens the model in `directory` by its `model_type`.
///
/// - Throws: `CheckpointError`, `TokenizerError` for what is missing, doesn't fit or is no such model.
func openDualEncoder(_ source: CheckpointSource, _ config: ModelConfig, at directory: URL) throws
    -> any DualEncoder
{
    let tokenizer = try Tokenizer(directory: directory)
    let path = directory.appendingPathComponent("config.json").path
    if case .siglip(let config) = config {
        let encoder = SiglipEncoder(siglip: try Siglip(source, config: config), tokenizer: tokenizer)
        guard (0..<encoder.vocabularySize).contains(Int(encoder.pad)) else {
            throw CheckpointError(
                path,
                "texts are padded by the token \(encoder.pad), and the model reads \(encoder.vocabularySize)",
                "give the tokenizer of this checkpoint")
        }
        return encoder
    }
    let clip = try config.clip(path: path)
    return ClipDualEncoder(clip: try Clip(source, config: clip), tokenizer: tokenizer)
}

/// CLIP (Radford et al. 2021).
private struct ClipDualEncoder: DualEncoder {
    let clip: Clip
    let tokenizer: Tokenizer

    var limit: Int { clip.config.text.maxPositionEmbeddings }
    var vocabularySize: Int { clip.config.text.vocabSize }
    var pictureBytes: Int {
        let vision = clip.config.vision
        return Self.bytesPerToken(vision.hiddenSize, vision.intermediateSize, vision.layerCount)
            * (vision.patchCount + 1)
    }
    var tokenBytes: Int {
        let text = clip.config.text
        return Self.bytesPerToken(text.hiddenSize, text.intermediateSize, text.layerCount)
    }

    func check(_ processor: any PictureProcessor) -> String? {
        Self.misfit(processor, side: clip.config.vision.imageSize)
    }

    func embed(_ pictures: [TowerInput], _ arena: Arena) -> Matrix {
        clip.embedImages(pictures.map { $0.tiles[0] }, arena).1.embedding
    }

    func embed(_ texts: [[Int32]], _ arena: Arena) -> Matrix { clip.embedTexts(texts, arena).1.embedding }

    func isEnded(_ ids: [Int32]) -> Bool {
        clip.config.text.poolsAtHighestID || ids.contains(Int32(clip.config.text.eosTokenID))
    }

    func logit(_ cosine: Double) -> Double? { nil }
}

/// SigLIP (Zhai et al. 2023) and SigLIP 2. Their texts are read as they were learned: padded to the full length, padding
/// and all, but where the tokenizer's files say that the model is told of it.
private struct SiglipEncoder: DualEncoder {
    let siglip: Siglip
    let tokenizer: Tokenizer

    /// What texts are padded with.
    var pad: Int32 { tokenizer.pad ?? Int32(siglip.config.text.padTokenID) }
    var limit: Int { siglip.config.text.maxPositionEmbeddings }
    var vocabularySize: Int { siglip.config.text.vocabSize }
    var pictureBytes: Int {
        let vision = siglip.config.vision
        let rows = siglip.config.kind == .fixed ? vision.patchCount : siglip.config.positionCount
        // one layer at a time
        return Self.bytesPerToken(vision.hiddenSize, vision.intermediateSize, 1) * rows
    }
    var tokenBytes: Int {
        let text = siglip.config.text
        return Self.bytesPerToken(text.hiddenSize, text.intermediateSize, 1) * limit
    }

    func check(_ processor: any PictureProcessor) -> String? {
        let vision = siglip.config.vision
        switch siglip.config.kind {
        case .fixed: return Self.misfit(processor, side: vision.imageSize)
        case .flexible:
            let patch = (processor as? NaFlexProcessor)?.patch
            return patch == vision.patchSize
                ? nil : "it makes no patches of \(vision.patchSize) pixels, which the vision tower reads"
        }
    }

    func embed(_ pictures: [TowerInput], _ arena: Arena) -> Matrix { siglip.embed(pictures, arena) }

    func embed(_ texts: [[Int32]], _ arena: Arena) -> Matrix {
        var visible: [Range<Int>] = []
        let padded = texts.map { ids -> [Int32] in
            let padding = [Int32](repeating: pad, count: limit - ids.count)
            let isLeft = tokenizer.padding.isLeft
            let own = isLeft ? padding.count..<limit : 0..<ids.count
            visible.append(tokenizer.padding.isMasked ? own : 0..<limit)
            return isLeft ? padding + ids : ids + padding
        }
        return siglip.embed(padded, visible: visible, arena)
    }

    func isEnded(_ ids: [Int32]) -> Bool { true }

    func logit(_ cosine: Double) -> Double? { siglip.logit(cosine) }
}
