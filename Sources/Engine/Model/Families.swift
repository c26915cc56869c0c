import Checkpoint
import Imaging
import Kernels

/// A family of models that see: a decoder, and what makes rows of its width of pictures. One file per family.
package protocol VisionLanguageFamily: AnyObject, Sendable, Adaptable {
    /// What is written as config.json.
    var modelConfig: ModelConfig { get }
    var decoder: Llama { get }
    /// Of tower, projector and decoder.
    var parameters: [Parameter] { get }
    var towerParameters: [Parameter] { get }
    var linears: [Linear] { get }
    /// Whether tower and projector learn where they are trained.
    var trainsTower: Bool { get }
    /// The token that stands for a picture's rows.
    var imageTokenID: Int { get }

    /// What of a preprocessing doesn't fit the tower; nil where all does.
    func check(_ processor: any PictureProcessor) -> String?

    /// Rows that a picture takes in the decoder.
    func rows(of shape: PictureShape) -> Int

    /// Rows that the tower reads of it.
    func towerRows(of shape: PictureShape) -> Int

    /// The text that stands for a picture in a prompt, with `marker`, the image token, for each part of its rows; all
    /// parts have equally many.
    func text(of shape: PictureShape, marker: String) -> String

    /// What replaces the image tokens, with nothing kept for the way back.
    func features(of pictures: [TowerInput], _ arena: Arena) -> PictureFeatures

    /// The same for training.
    func tape(of pictures: [TowerInput], _ arena: Arena) -> PictureTape
}

extension VisionLanguageFamily {
    package var trainsTower: Bool { true }
    package func text(of shape: PictureShape, marker: String) -> String { marker }

    /// Pictures that outlive the arena.
    package func pictures(_ pictures: [TowerInput], _ arena: Arena) -> [Picture] {
        let made = features(of: pictures, arena)
        return made.rows.enumerated().map { index, rows in
            Picture(
                made.values.rows(rows).values, width: made.values.columns, grid: made.grids?[index],
                isHalf: decoder.compute == .bf16)
        }
    }
}

/// What pictures are to a decoder.
package struct PictureFeatures {
    /// `[rows × C]`, picture after picture.
    package let values: Matrix
    /// Those of each picture.
    package let rows: [Range<Int>]
    /// As `Picture` has it.
    package var grids: [PictureSize]?
}

/// The same with the way back.
package struct PictureTape {
    /// `[rows × C]`, picture after picture.
    package let features: Matrix
    /// Those of each picture.
    package let rows: [Range<Int>]
    /// As `Picture` has it.
    package var grids: [PictureSize]?
    /// From the gradient of `features` down into projector and tower.
    package let backward: (_ dFeatures: Matrix, Arena) -> Void
}

extension PictureProcessor {
    /// What of it doesn't fit a tower that reads squares of `side` pixels.
    func misfit(side: Int) -> String? {
        guard let tile else { return "it makes rows of patches and the vision tower reads pictures" }
        guard tile != PictureSize(height: side, width: side) else { return nil }
        return "it makes pictures of \(tile.width)×\(tile.height) and the vision tower reads \(side)×\(side)"
    }
}

extension ModelConfig {
    /// The model that this configuration describes.
    ///
    /// - Throws: `CheckpointError` for a tensor that is missing or has another shape, and for a configuration of a
    ///   model that doesn't see.
    package func family(_ source: any ParameterSource, path: String) throws -> any VisionLanguageFamily {
        switch self {
        case .llava(let config): return try Llava(source, config: config)
        case .smolVLM(let config): return try SmolVLM(source, config: config)
        case .qwen2VL(let config): return try Qwen2VL(source, config: config)
        case .clip, .siglip, .llama: throw blindness(path: path)
        }
    }
}
