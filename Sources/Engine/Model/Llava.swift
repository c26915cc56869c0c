import Checkpoint
import Kernels

/// LLaVA (Liu et al. 2023): a vision tower, a two-layer projector, a decoder. Keys as transformers from 4.52 on writes
/// them for `LlavaForConditionalGeneration`.
///
/// LLaVA-NeXT in its one-tile mode is a LLaVA whose picture ends with a learned row, as `pack_image_features` of
/// transformers' `modeling_llava_next.py` has it for a picture without tiles.
package final class Llava: VisionLanguageFamily, @unchecked Sendable {
    package let config: LlavaConfig
    package let tower: ClipVisionTower
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
        let (inputs, width) = (config.vision.hiddenSize, config.text.hiddenSize)
        func projection(_ index: Int, _ inputs: Int) throws -> Linear {
            try Linear(
                source, "model.multi_modal_projector.linear_\(index)", inputs: inputs, outputs: width,
                bias: config.projectorBias)
        }
        projector1 = try projection(1, inputs)
        projector2 = try projection(2, width)
        newline =
            config.kind == .next
            ? try source.parameter(
                "model.image_newline", [width], start: .normal(deviation: 1 / Double(width).squareRoot()))
            : nil
        decoder = try Llama(source, config: config.text, prefix: "model.language_model.")
    }

    package var modelConfig: ModelConfig { .llava(config) }

    package var parameters: [Parameter] {
        tower.parameters + projector1.parameters + projector2.parameters + (newline.map { [$0] } ?? [])
            + decoder.parameters
    }

    package var towerParameters: [Parameter] { tower.parameters }
    package var linears: [Linear] { tower.linears + [projector1, projector2] + decoder.linears }
    package var imageTokenID: Int { config.imageTokenID }
    package var tileSize: Int { config.vision.imageSize }
    package var rowsPerPicture: Int { config.imageTokenCount }

    package struct ImageTape {
        let tower: ClipVisionTower.Tape
        /// The chosen hidden layer of the tower, `[pictures·tile rows × tower width]`.
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
        let count = config.tileRows
        let selected = arena.matrix(pixels.count * count, config.vision.hiddenSize)
        for image in pixels.indices {
            selected.rows(image * count..<(image + 1) * count)
                .copy(from: tape.hidden.rows(towerRows(of: image)))
        }
        let inner = projector1.forward(selected, arena).y
        let active = arena.matrix(inner.rows, inner.columns)
        Activation.gelu.apply(inner, into: active)
        let projected = projector2.forward(active, arena).y
        return ImageTape(
            tower: tape, selected: selected, inner: inner, active: active,
            features: ended(projected, arena),
            rows: pixels.indices.map { $0 * rowsPerPicture..<($0 + 1) * rowsPerPicture })
    }

    /// The chosen rows of an image among those of the tower: the last ones, the class token stands first.
    private func towerRows(of image: Int) -> Range<Int> {
        let end = tower.rows(of: image).upperBound
        return end - config.tileRows..<end
    }

    /// Each picture's rows with the end of a row after them, where the model has one.
    private func ended(_ projected: Matrix, _ arena: Arena) -> Matrix {
        guard let newline else { return projected }
        let count = config.tileRows
        let pictures = projected.rows / count
        let result = arena.matrix(pictures * rowsPerPicture, projected.columns)
        for picture in 0..<pictures {
            let own = result.rows(picture * rowsPerPicture..<(picture + 1) * rowsPerPicture)
            own.rows(0..<count).copy(from: projected.rows(picture * count..<(picture + 1) * count))
            own.rows(count..<count + 1).copy(from: newline.value)
        }
        return result
    }

    /// The gradient of `projected`; adds the end of a row's.
    private func endedBackward(_ dFeatures: Matrix, _ arena: Arena) -> Matrix {
        guard let newline else { return dFeatures }
        let count = config.tileRows
        let pictures = dFeatures.rows / rowsPerPicture
        let result = arena.matrix(pictures * count, dFeatures.columns)
        for picture in 0..<pictures {
            let own = dFeatures.rows(picture * rowsPerPicture..<(picture + 1) * rowsPerPicture)
            result.rows(picture * count..<(picture + 1) * count).copy(from: own.rows(0..<count))
            if let gradient = newline.gradient { addRows(own.rows(count..<count + 1), to: gradient) }
        }
        return result
    }

    package func tape(of pixels: [[Float]], _ arena: Arena) -> PictureTape {
        let tape = encode(pixels, arena)
        return PictureTape(features: tape.features, rows: tape.rows) { [self] in
            encodeBackward(tape, dFeatures: $0, $1)
        }
    }

    /// `dFeatures` `[rows × C]` down into projector and tower.
    package func encodeBackward(_ tape: ImageTape, dFeatures: Matrix, _ arena: Arena) {
        let dProjected = endedBackward(dFeatures, arena)
        let dActive = arena.matrix(dProjected.rows, dProjected.columns)
        projector2.backward(tape.active, low: nil, dy: dProjected, dx: dActive, accumulate: false, arena)
        Activation.gelu.applyBackward(tape.inner, dy: dActive, into: dActive)
        let dSelected = arena.matrix(tape.selected.rows, tape.selected.columns)
        projector1.backward(tape.selected, low: nil, dy: dActive, dx: dSelected, accumulate: false, arena)
        guard tower.parameters.contains(where: \.isTrained) else { return }
        let dHidden = arena.zeros(tape.tower.hidden.rows, dSelected.columns)
        let count = config.tileRows
        for image in 0..<tape.tower.images {
            dHidden.rows(towerRows(of: image))
                .copy(from: dSelected.rows(image * count..<(image + 1) * count))
        }
        tower.backward(tape.tower, dHidden: dHidden, arena)
    }
}
