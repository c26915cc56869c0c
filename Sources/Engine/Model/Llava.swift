import Checkpoint
import Imaging
import Kernels

/// LLaVA (Liu et al. 2023): a vision tower, a two-layer projector, a decoder. Keys as transformers from 4.52 on writes
/// them for `LlavaForConditionalGeneration`.
///
/// LLaVA-NeXT (Liu et al. 2024) and LLaVA-OneVision (Li et al. 2024) are LLaVAs whose pictures are tiles, packed with a
/// learned end of each row. Checkpoints in the layout of LLaVA's own code are read too; there a tower may lie apart.
package final class Llava: VisionLanguageFamily, @unchecked Sendable {
    package let config: LlavaConfig
    package let tower: ClipVisionTower
    /// Of VILA's joined patches.
    let projectorNorm: Norm?
    let projector1: Linear
    let projector2: Linear
    /// `image_newline`, the end of a row of tiles.
    let newline: Parameter?
    package let decoder: Llama

    package init(_ source: any ParameterSource, config: LlavaConfig) throws {
        self.config = config
        let prefix = "model.vision_tower.vision_model."
        let postNorm = prefix + "post_layernorm"
        tower = try ClipVisionTower(
            source, config: config.vision, prefix: prefix,
            postNorm: source.has(postNorm + ".weight")
                ? Norm(source, postNorm, config.vision.hiddenSize) : nil)
        let joins = config.projector == .downsampling
        let (inputs, width) = (config.vision.hiddenSize * (joins ? 4 : 1), config.text.hiddenSize)
        projectorNorm = joins ? try Norm(source, "model.multi_modal_projector.norm", inputs) : nil
        func projection(_ index: Int, _ inputs: Int) throws -> Linear {
            try Linear(
                source, "model.multi_modal_projector.linear_\(index)", inputs: inputs, outputs: width,
                bias: config.projectorBias)
        }
        projector1 = try projection(1, inputs)
        projector2 = try projection(2, width)
        newline =
            config.kind.packsTiles
            ? try source.parameter(
                "model.image_newline", [width], start: .normal(deviation: 1 / Double(width).squareRoot()))
            : nil
        decoder = try Llama(source, config: config.text, prefix: "model.language_model.")
    }

    package var modelConfig: ModelConfig { .llava(config) }

    package var parameters: [Parameter] {
        tower.parameters + (projectorNorm?.parameters ?? []) + projector1.parameters + projector2.parameters
            + (newline.map { [$0] } ?? [])
            + decoder.parameters
    }

    package var towerParameters: [Parameter] { tower.parameters }
    package var linears: [Linear] { tower.linears + [projector1, projector2] + decoder.linears }
    package var imageTokenID: Int { config.imageTokenID }

    package func check(_ processor: any PictureProcessor) -> String? {
        processor.misfit(side: config.vision.imageSize)
    }

    package func rows(of shape: PictureShape) -> Int { packing(shape)?.rows.count ?? config.tileRows }

    package func towerRows(of shape: PictureShape) -> Int {
        (shape.grid.height * shape.grid.width + 1) * (config.vision.patchCount + config.vision.classCount)
    }

    /// nil where a picture is its only tile as it comes.
    private func packing(_ shape: PictureShape) -> TilePacking? {
        newline.map { _ in
            TilePacking(
                shape, side: config.vision.patchesPerSide, most: config.mostTiles, rounds: !config.isOriginal)
        }
    }

    package struct ImageTape {
        let tower: ClipVisionTower.Tape
        /// The chosen hidden layer of the tower, `[tiles·rows × tower width]`.
        package let selected: Matrix
        let joined: Joined?
        let inner: Matrix
        let active: Matrix
        /// What replaces the image tokens, `[rows × C]`, picture after picture.
        package let features: Matrix
        /// Those of each picture.
        package let rows: [Range<Int>]
        let packings: [TilePacking]
    }

    package func tape(of pictures: [TowerInput], _ arena: Arena) -> PictureTape {
        let tape = encode(pictures, arena)
        return PictureTape(features: tape.features, rows: tape.rows) { [self] in
            encodeBackward(tape, dFeatures: $0, $1)
        }
    }

    package func features(of pictures: [TowerInput], _ arena: Arena) -> PictureFeatures {
        let tiles = pictures.flatMap(\.tiles)
        let hidden = tower.states(tiles, depth: config.visionLayersNeeded, arena)
        let selected = selected(hidden, tiles.count, arena)
        let joined = joined(selected, tiles.count, arena)
        let projected = project(joined?.normed ?? selected, arena).projected
        let packed = packed(projected, pictures, arena)
        return PictureFeatures(values: packed.features, rows: packed.rows)
    }

    package func encode(_ pictures: [TowerInput], _ arena: Arena) -> ImageTape {
        let tiles = pictures.flatMap(\.tiles)
        let tape = tower.forward(tiles, depth: config.visionLayersNeeded, arena)
        let selected = selected(tape.hidden, tiles.count, arena)
        let joined = joined(selected, tiles.count, arena)
        let (inner, active, projected) = project(joined?.normed ?? selected, arena)
        let (features, rows, packings) = packed(projected, pictures, arena)
        return ImageTape(
            tower: tape, selected: selected, joined: joined, inner: inner, active: active, features: features,
            rows: rows,
            packings: packings)
    }

    /// Patches by fours, before and after their LayerNorm.
    struct Joined {
        let patches, normed, statistics: Matrix
    }

    private func joined(_ selected: Matrix, _ tiles: Int, _ arena: Arena) -> Joined? {
        guard let projectorNorm else { return nil }
        let patches = PatchSquares(side: config.vision.patchesPerSide).join(selected, tiles: tiles, arena)
        // PyTorch's default.
        let (normed, statistics) = projectorNorm.forward(patches, 1e-5, arena)
        return Joined(patches: patches, normed: normed, statistics: statistics)
    }

    /// The chosen rows of each tile: the last ones, a class token stands first.
    private func selected(_ hidden: Matrix, _ tiles: Int, _ arena: Arena) -> Matrix {
        let count = config.selectedRows
        let result = arena.matrix(tiles * count, hidden.columns)
        for tile in 0..<tiles {
            result.rows(tile * count..<(tile + 1) * count).copy(from: hidden.rows(towerRows(of: tile)))
        }
        return result
    }

    private func towerRows(of tile: Int) -> Range<Int> {
        let end = tower.rows(of: tile).upperBound
        return end - config.selectedRows..<end
    }

    private func project(
        _ selected: Matrix, _ arena: Arena
    ) -> (inner: Matrix, active: Matrix, projected: Matrix) {
        let inner = projector1.forward(selected, arena).y
        let active = arena.matrix(inner.rows, inner.columns)
        Activation.gelu.apply(inner, into: active)
        return (inner, active, projector2.forward(active, arena).y)
    }

    private func packed(
        _ projected: Matrix, _ pictures: [TowerInput], _ arena: Arena
    ) -> (features: Matrix, rows: [Range<Int>], packings: [TilePacking]) {
        let packings = pictures.compactMap { packing($0.shape) }
        let counts = newline == nil ? pictures.map { _ in config.tileRows } : packings.map(\.rows.count)
        let ends = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let rows = counts.indices.map { ends[$0]..<ends[$0 + 1] }
        guard let newline else { return (projected, rows, []) }
        let features = arena.matrix(ends[counts.count], projected.columns)
        for (own, (packing, tiles)) in zip(rows, zip(packings, tileRows(of: pictures))) {
            packing.pack(projected.rows(tiles), newline: newline.value, into: features.rows(own))
        }
        return (features, rows, packings)
    }

    /// Rows of each picture's tiles.
    private func tileRows(of pictures: [TowerInput]) -> [Range<Int>] {
        var first = 0
        return pictures.map { picture in
            defer { first += picture.tiles.count * config.tileRows }
            return first..<first + picture.tiles.count * config.tileRows
        }
    }

    /// `dFeatures` `[rows × C]` down into projector and tower.
    package func encodeBackward(_ tape: ImageTape, dFeatures: Matrix, _ arena: Arena) {
        let dProjected = packedBackward(tape, dFeatures, arena)
        let dActive = arena.matrix(dProjected.rows, dProjected.columns)
        projector2.backward(tape.active, low: nil, dy: dProjected, dx: dActive, accumulate: false, arena)
        Activation.gelu.applyBackward(tape.inner, dy: dActive, into: dActive)
        let read = tape.joined?.normed ?? tape.selected
        let dRead = arena.matrix(read.rows, read.columns)
        projector1.backward(read, low: nil, dy: dActive, dx: dRead, accumulate: false, arena)
        let dSelected = joinedBackward(tape, dRead, arena)
        guard tower.parameters.contains(where: \.isTrained) else { return }
        let dHidden = arena.zeros(tape.tower.hidden.rows, dSelected.columns)
        let count = config.selectedRows
        for tile in 0..<tape.tower.images {
            dHidden.rows(towerRows(of: tile)).copy(from: dSelected.rows(tile * count..<(tile + 1) * count))
        }
        tower.backward(tape.tower, dHidden: dHidden, arena)
    }

    private func joinedBackward(_ tape: ImageTape, _ dRead: Matrix, _ arena: Arena) -> Matrix {
        guard let projectorNorm, let joined = tape.joined else { return dRead }
        let dPatches = arena.zeros(dRead.rows, dRead.columns)
        projectorNorm.backward(joined.patches, joined.statistics, dy: dRead, dx: dPatches)
        let dSelected = arena.matrix(tape.selected.rows, tape.selected.columns)
        PatchSquares(side: config.vision.patchesPerSide).split(
            dPatches, tiles: tape.tower.images, into: dSelected)
        return dSelected
    }

    private func packedBackward(_ tape: ImageTape, _ dFeatures: Matrix, _ arena: Arena) -> Matrix {
        guard let newline else { return dFeatures }
        let dProjected = arena.zeros(tape.selected.rows, dFeatures.columns)
        var first = 0
        for (own, packing) in zip(tape.rows, tape.packings) {
            let count = packing.tiles * config.tileRows
            packing.packBackward(
                dFeatures.rows(own), dProjected: dProjected.rows(first..<first + count),
                newline: newline.gradient)
            first += count
        }
        return dProjected
    }
}
