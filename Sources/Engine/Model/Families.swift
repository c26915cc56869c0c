import Checkpoint
import Kernels

/// A family of models that see: a decoder, and what makes rows of its width of pictures. One file per family.
package protocol VisionLanguageFamily: AnyObject, Sendable {
    /// What is written as config.json.
    var modelConfig: ModelConfig { get }
    var decoder: Llama { get }
    /// Of tower, projector and decoder.
    var parameters: [Parameter] { get }
    var towerParameters: [Parameter] { get }
    var linears: [Linear] { get }
    /// The token that stands for a picture's rows.
    var imageTokenID: Int { get }
    /// Pixels along a side of a tile.
    var tileSize: Int { get }
    /// Rows that a picture takes in the decoder.
    var rowsPerPicture: Int { get }

    /// - Parameter pixels: per picture, planar `[3, H, W]`, normalised.
    func tape(of pixels: [[Float]], _ arena: Arena) -> PictureTape
}

extension VisionLanguageFamily {
    /// Pictures that outlive the arena.
    ///
    /// - Parameter pixels: per picture, planar `[3, H, W]`, normalised.
    package func pictures(_ pixels: [[Float]], _ arena: Arena) -> [Picture] {
        let tape = tape(of: pixels, arena)
        return tape.rows.map { Picture(tape.features.rows($0).values, width: tape.features.columns) }
    }
}

/// Pictures as the decoder reads them, and the way back.
package struct PictureTape {
    /// What replaces the image tokens, `[rows × C]`, picture after picture.
    package let features: Matrix
    /// Those of each picture.
    package let rows: [Range<Int>]
    /// From the gradient of `features` down into projector and tower.
    package let backward: (_ dFeatures: Matrix, Arena) -> Void
}

extension ModelConfig {
    /// The model that this configuration describes.
    ///
    /// - Throws: `CheckpointError` for a tensor that is missing or has another shape, and for a configuration of a
    ///   model that doesn't see.
    package func family(_ source: any ParameterSource, path: String) throws -> any VisionLanguageFamily {
        switch self {
        case .llava(let config): return try Llava(source, config: config)
        case .clip, .llama: throw blindness(path: path)
        }
    }
}
