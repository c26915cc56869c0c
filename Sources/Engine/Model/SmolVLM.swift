import Checkpoint
import Imaging
import Kernels

/// SmolVLM (Marafioti et al. 2025) and Idefics3 (Laurençon et al. 2024): SigLIP's tower over tiles, a connector that joins
/// neighboring patches to one row, a LLaMA decoder. Keys as transformers' `Idefics3ForConditionalGeneration`.
package final class SmolVLM: VisionLanguageFamily, @unchecked Sendable {
    package let config: SmolVLMConfig
    package let tower: ClipVisionTower
    private let postNorm: Norm
    private let projection: Linear
    package let decoder: Llama

    package init(_ source: any ParameterSource, config: SmolVLMConfig) throws {
        self.config = config
        let prefix = "model.vision_model."
        postNorm = try Norm(source, prefix + "post_layernorm", config.vision.hiddenSize)
        tower = try ClipVisionTower(source, config: config.vision, prefix: prefix, postNorm: postNorm)
        let joined = config.vision.hiddenSize * config.scaleFactor * config.scaleFactor
        projection = try Linear(
            source, "model.connector.modality_projection.proj", inputs: joined,
            outputs: config.text.hiddenSize)
        decoder = try Llama(source, config: config.text, prefix: "model.text_model.")
    }

    package var modelConfig: ModelConfig { .smolVLM(config) }
    package var parameters: [Parameter] { tower.parameters + projection.parameters + decoder.parameters }
    package var towerParameters: [Parameter] { tower.parameters }
    package var linears: [Linear] { tower.linears + [projection] + decoder.linears }
    package var imageTokenID: Int { config.imageTokenID }

    package func check(_ processor: any PictureProcessor) -> String? {
        if let own = processor as? Idefics3Processor, own.splits, own.longestEdge > Self.mostTiles * own.side
        {
            return
                "it cuts pictures into \(own.longestEdge / own.side) tiles a side, and there are tokens for "
                + "\(Self.mostTiles)"
        }
        return processor.misfit(side: config.vision.imageSize)
    }

    package func rows(of shape: PictureShape) -> Int {
        (shape.grid.height * shape.grid.width + 1) * config.tileRows
    }

    package func towerRows(of shape: PictureShape) -> Int {
        (shape.grid.height * shape.grid.width + 1) * config.vision.patchCount
    }

    /// A side that rows and columns have tokens for.
    private static let mostTiles = 6

    /// Tiles by row and column, a line for each row, then the whole picture (transformers' `processing_idefics3.py`).
    package func text(of shape: PictureShape, marker: String) -> String {
        let fence = "<fake_token_around_image>"
        var text = ""
        for row in 0..<shape.grid.height {
            for column in 0..<shape.grid.width {
                text += "\(fence)<row_\(row + 1)_col_\(column + 1)>\(marker)"
            }
            text += "\n"
        }
        return text + (text.isEmpty ? "" : "\n") + "\(fence)<global-img>\(marker)\(fence)"
    }

    package func features(of pictures: [TowerInput], _ arena: Arena) -> PictureFeatures {
        let states = tower.states(pictures.flatMap(\.tiles), depth: config.vision.layerCount, arena)
        let normed = postNorm.forward(states, Float(config.vision.layerNormEpsilon), arena).y
        let values = projection.forward(joined(normed, arena), arena).y
        return PictureFeatures(values: values, rows: rows(of: pictures))
    }

    package func tape(of pictures: [TowerInput], _ arena: Arena) -> PictureTape {
        let tape = tower.forward(pictures.flatMap(\.tiles), depth: config.vision.layerCount, arena)
        let (normed, statistics) = postNorm.forward(
            tape.hidden, Float(config.vision.layerNormEpsilon), arena)
        let joined = joined(normed, arena)
        let features = projection.forward(joined, arena).y
        return PictureTape(features: features, rows: rows(of: pictures)) { [self] dFeatures, arena in
            let dJoined = arena.matrix(joined.rows, joined.columns)
            projection.backward(joined, low: nil, dy: dFeatures, dx: dJoined, accumulate: false, arena)
            guard tower.parameters.contains(where: \.isTrained) else { return }
            let dNormed = parted(dJoined, arena)
            let dHidden = arena.zeros(dNormed.rows, dNormed.columns)
            postNorm.backward(tape.hidden, statistics, dy: dNormed, dx: dHidden)
            tower.backward(tape, dHidden: dHidden, arena)
        }
    }

    private func rows(of pictures: [TowerInput]) -> [Range<Int>] {
        var first = 0
        return pictures.map { picture in
            defer { first += picture.tiles.count * config.tileRows }
            return first..<first + picture.tiles.count * config.tileRows
        }
    }

    /// Blocks of patches as one row each, patch after patch: `[tiles·patches × C]` → `[tiles·patches/s² × s²·C]`.
    private func joined(_ x: Matrix, _ arena: Arena) -> Matrix {
        let parts = config.scaleFactor * config.scaleFactor
        let result = arena.matrix(x.rows / parts, x.columns * parts)
        forEachPatch(x.rows) { patch, row, part in
            result.columns(part * x.columns..<(part + 1) * x.columns).rows(row..<row + 1)
                .copy(from: x.rows(patch..<patch + 1))
        }
        return result
    }

    private func parted(_ x: Matrix, _ arena: Arena) -> Matrix {
        let parts = config.scaleFactor * config.scaleFactor
        let width = x.columns / parts
        let result = arena.matrix(x.rows * parts, width)
        forEachPatch(result.rows) { patch, row, part in
            result.rows(patch..<patch + 1)
                .copy(from: x.columns(part * width..<(part + 1) * width).rows(row..<row + 1))
        }
        return result
    }

    /// Of every patch the row of its block and its place in it.
    private func forEachPatch(_ count: Int, _ body: (_ patch: Int, _ row: Int, _ part: Int) -> Void) {
        let (side, scale) = (config.vision.patchesPerSide, config.scaleFactor)
        for patch in 0..<count {
            let (tile, y, x) = (patch / (side * side), patch / side % side, patch % side)
            let row = (tile * side / scale + y / scale) * (side / scale) + x / scale
            body(patch, row, y % scale * scale + x % scale)
        }
    }
}
