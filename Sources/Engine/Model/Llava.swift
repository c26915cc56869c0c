import Checkpoint
import Kernels

/// LLaVA (Liu et al. 2023): CLIP's vision tower, a two-layer projector, a LLaMA decoder. Keys as transformers
/// from 4.52 on writes them for `LlavaForConditionalGeneration`.
package final class Llava: @unchecked Sendable {
    package let config: LlavaConfig
    package let tower: ClipVisionTower
    let projector1: Linear
    let projector2: Linear
    package let decoder: Llama

    package init(_ source: any ParameterSource, config: LlavaConfig) throws {
        self.config = config
        let prefix = "model.vision_tower.vision_model."
        let postNorm = prefix + "post_layernorm"
        tower = try ClipVisionTower(
            source, config: config.vision, prefix: prefix,
            postNorm: source.has(postNorm + ".weight")
                ? Norm(source, postNorm, config.vision.hiddenSize) : nil)
        let (inputs, width) = (config.vision.hiddenSize, config.text.hiddenSize)
        func projection(_ index: Int, _ inputs: Int) throws -> Linear {
            try Linear(
                source, "model.multi_modal_projector.linear_\(index)", inputs: inputs, outputs: width,
                bias: config.projectorBias)
        }
        projector1 = try projection(1, inputs)
        projector2 = try projection(2, width)
        decoder = try Llama(source, config: config.text, prefix: "model.language_model.")
    }

    package var parameters: [Parameter] {
        tower.parameters + projector1.parameters + projector2.parameters + decoder.parameters
    }

    package var linears: [Linear] { tower.linears + [projector1, projector2] + decoder.linears }

    /// Call after an optimiser step on parameters that `multiply` reads packed.
    package func weightsChanged() { linears.forEach { $0.weightsChanged() } }

    /// Rows of a picture: the patches, and the class token when the strategy is "full".
    var rowsPerPicture: Int { config.imageTokenCount }

    package struct ImageTape {
        let tower: ClipVisionTower.Tape
        /// The chosen hidden layer of the tower, `[rows × tower width]`.
        package let selected: Matrix
        let inner: Matrix
        let active: Matrix
        /// What replaces the image tokens, `[rows × C]`, picture after picture.
        package let features: Matrix
        /// Those of each picture.
        package let rows: [Range<Int>]
    }

    /// - Parameter pixels: per image, planar `[3, H, W]`, normalised.
    package func encode(_ pixels: [[Float]], _ arena: Arena) -> ImageTape {
        let tape = tower.forward(pixels, depth: config.visionLayersNeeded, arena)
        let count = rowsPerPicture
        let rows = pixels.indices.map { $0 * count..<($0 + 1) * count }
        let selected = arena.matrix(pixels.count * count, config.vision.hiddenSize)
        for (image, own) in rows.enumerated() {
            selected.rows(own).copy(from: tape.hidden.rows(towerRows(of: image)))
        }
        let inner = projector1.forward(selected, arena).y
        let active = arena.matrix(inner.rows, inner.columns)
        Activation.gelu.apply(inner, into: active)
        let features = projector2.forward(active, arena).y
        return ImageTape(
            tower: tape, selected: selected, inner: inner, active: active, features: features, rows: rows)
    }

    /// The chosen rows of an image among those of the tower: the last ones, the class token stands first.
    private func towerRows(of image: Int) -> Range<Int> {
        let end = (image + 1) * (config.vision.patchCount + 1)
        return end - rowsPerPicture..<end
    }

    /// Pictures that outlive the arena.
    ///
    /// - Parameter pixels: per picture, planar `[3, H, W]`, normalised.
    package func pictures(_ pixels: [[Float]], _ arena: Arena) -> [Picture] {
        let tape = encode(pixels, arena)
        return tape.rows.map { Picture(tape.features.rows($0).values, width: tape.features.columns) }
    }

    /// `dFeatures` `[rows × C]` down into projector and tower.
    package func encodeBackward(_ tape: ImageTape, dFeatures: Matrix, _ arena: Arena) {
        let dActive = arena.matrix(dFeatures.rows, dFeatures.columns)
        projector2.backward(tape.active, low: nil, dy: dFeatures, dx: dActive, accumulate: false, arena)
        Activation.gelu.applyBackward(tape.inner, dy: dActive, into: dActive)
        let dSelected = arena.matrix(tape.selected.rows, tape.selected.columns)
        projector1.backward(tape.selected, low: nil, dy: dActive, dx: dSelected, accumulate: false, arena)
        guard tower.parameters.contains(where: \.isTrained) else { return }
        let dHidden = arena.zeros(tape.tower.hidden.rows, dSelected.columns)
        for (image, own) in tape.rows.enumerated() {
            dHidden.rows(towerRows(of: image)).copy(from: dSelected.rows(own))
        }
        tower.backward(tape.tower, dHidden: dHidden, arena)
    }
}
