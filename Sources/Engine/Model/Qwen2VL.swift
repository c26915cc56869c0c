import Checkpoint
import Imaging
import Kernels

/// Qwen2-VL (Wang et al. 2024) and Qwen2.5-VL (Bai et al. 2025) for stills: a tower over grids of any shape, and a decoder
/// whose rotary positions know rows and columns. Keys as transformers' `Qwen2VLForConditionalGeneration` from 4.52 on.
package final class Qwen2VL: VisionLanguageFamily, @unchecked Sendable {
    package let config: Qwen2VLConfig
    private let tower: Qwen2VLTower
    package let decoder: Llama

    package init(_ source: any ParameterSource, config: Qwen2VLConfig) throws {
        self.config = config
        tower = try Qwen2VLTower(source, config: config.vision, prefix: "model.visual.")
        decoder = try Llama(source, config: config.text, prefix: "model.language_model.")
    }

    package var modelConfig: ModelConfig { .qwen2VL(config) }
    package var parameters: [Parameter] { tower.parameters + decoder.parameters }
    package var towerParameters: [Parameter] { tower.parameters }
    package var linears: [Linear] { tower.linears + decoder.linears }
    package var imageTokenID: Int { config.imageTokenID }
    package var trainsTower: Bool { false }

    package func check(_ processor: any PictureProcessor) -> String? {
        let vision = config.vision
        let wanted =
            "the vision tower reads rows of patches of \(vision.patchSize), merged by \(vision.mergeSize)"
        guard let own = processor as? Qwen2VLProcessor else { return "it makes pictures, and " + wanted }
        guard own.patch == vision.patchSize, own.merge == vision.mergeSize, own.frames == vision.frameCount
        else {
            return "it makes patches of \(own.patch), merged by \(own.merge), of \(own.frames) frames, and "
                + wanted + ", of \(vision.frameCount) frames"
        }
        return nil
    }

    package func rows(of shape: PictureShape) -> Int {
        let grid = merged(shape)
        return grid.height * grid.width
    }

    package func towerRows(of shape: PictureShape) -> Int { shape.grid.height * shape.grid.width }

    private func merged(_ shape: PictureShape) -> PictureSize {
        let merge = config.vision.mergeSize
        return PictureSize(height: shape.grid.height / merge, width: shape.grid.width / merge)
    }

    package func text(of shape: PictureShape, marker: String) -> String {
        "<|vision_start|>\(marker)<|vision_end|>"
    }

    package func features(of pictures: [TowerInput], _ arena: Arena) -> PictureFeatures {
        let grids = pictures.map { merged($0.shape) }
        let ends = grids.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.height * $1.width) }
        let values = arena.matrix(ends[grids.count], config.text.hiddenSize)
        let rows = grids.indices.map { ends[$0]..<ends[$0 + 1] }
        for (own, picture) in zip(rows, pictures) {
            let mark = arena.mark
            values.rows(own).copy(from: tower.features(of: picture, arena))
            arena.release(to: mark)
        }
        return PictureFeatures(values: values, rows: rows, grids: grids)
    }

    /// Nothing goes back: the tower isn't trained.
    package func tape(of pictures: [TowerInput], _ arena: Arena) -> PictureTape {
        let made = features(of: pictures, arena)
        return PictureTape(features: made.values, rows: made.rows, grids: made.grids) { _, _ in }
    }
}
