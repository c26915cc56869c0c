import Checkpoint
import Foundation
import Kernels

/// CLIP (Radford et al. 2021): two towers into one space. Keys as transformers' `CLIPModel`.
package final class Clip: @unchecked Sendable {
    package let config: ClipConfig
    package let vision: ClipVisionTower
    package let text: ClipTextTower
    /// The vision tower's, through which class tokens are read.
    let postNorm: Norm
    let visionProjection: Linear
    let textProjection: Linear
    let logitScale: Parameter

    package init(_ source: any ParameterSource, config: ClipConfig) throws {
        self.config = config
        postNorm = try Norm(source, "vision_model.post_layernorm", config.vision.hiddenSize)
        vision = try ClipVisionTower(
            source, config: config.vision, prefix: "vision_model.", postNorm: postNorm)
        text = try ClipTextTower(source, config: config.text, prefix: "text_model.")
        func projection(_ name: String, _ width: Int) throws -> Linear {
            try Linear(source, name, inputs: width, outputs: config.projectionDim)
        }
        visionProjection = try projection("visual_projection", config.vision.hiddenSize)
        textProjection = try projection("text_projection", config.text.hiddenSize)
        logitScale = try source.parameter(
            "logit_scale", [], start: .constant(Float(config.logitScaleInitValue)))
    }

    package var parameters: [Parameter] {
        vision.parameters + text.parameters + [visionProjection.weight, textProjection.weight, logitScale]
    }

    package var linears: [Linear] { vision.linears + text.linears + [visionProjection, textProjection] }

    /// exp(logit_scale), what cosines are multiplied by.
    package var scale: Float { exp(logitScale.value.base[0]) }

    package struct Side {
        let pooled: Matrix
        let statistics: Matrix
        let states: Matrix
        let projected: Matrix
        /// Unit vectors `[N × P]`.
        package let embedding: Matrix
    }

    package struct Tape {
        let vision: ClipVisionTower.Tape
        let text: ClipTextTower.Tape
        package let images: Side
        package let texts: Side
        /// scale · cos, `[images × texts]`
        package let logits: Matrix
        /// The same of every patch where they were asked for, `[texts × images·(1 + patches)]`; the first column
        /// of an image is its class token's.
        package let patchLogits: Matrix?
    }

    /// - Parameter patches: whether every patch is embedded, as its image's class token always is.
    package func embedImages(
        _ pixels: [[Float]], patches: Bool = false, _ arena: Arena
    ) -> (ClipVisionTower.Tape, Side) {
        let tape = vision.forward(pixels, depth: config.vision.layerCount, arena)
        let states = patches ? tape.hidden : spaced(tape.hidden, rows: pixels.count)
        let (pooled, statistics) = postNorm.forward(states, Float(config.vision.layerNormEpsilon), arena)
        return (tape, project(pooled, visionProjection, statistics, states, arena))
    }

    /// `rows` of all rows, evenly spaced from the first: the class tokens', whether patches lie between or not.
    private func spaced(_ all: Matrix, rows: Int) -> Matrix {
        Matrix(all.base, rows: rows, columns: all.columns, stride: all.rows / max(rows, 1) * all.stride)
    }

    package func embedTexts(_ texts: [[Int32]], _ arena: Arena) -> (ClipTextTower.Tape, Side) {
        let tape = text.forward(texts, arena)
        return (tape, project(tape.pooled, textProjection, tape.statistics, tape.last, arena))
    }

    private func project(
        _ pooled: Matrix, _ projection: Linear, _ statistics: Matrix, _ states: Matrix, _ arena: Arena
    ) -> Side {
        let projected = projection.forward(pooled, arena).y
        let embedding = arena.matrix(projected.rows, projected.columns)
        unitRows(projected, into: embedding)
        return Side(
            pooled: pooled, statistics: statistics, states: states, projected: projected,
            embedding: embedding)
    }

    /// logits `[images × texts]` = exp(logit_scale) · cos.
    package func forward(
        _ pixels: [[Float]], _ texts: [[Int32]], patches: Bool = false, _ arena: Arena
    ) -> Tape {
        let (visionTape, images) = embedImages(pixels, patches: patches, arena)
        let (textTape, textSide) = embedTexts(texts, arena)
        let logits = arena.matrix(pixels.count, texts.count)
        let classes = spaced(images.embedding, rows: pixels.count)
        GEMM.single(classes, false, textSide.embedding, true, into: logits, alpha: scale)
        var patchLogits: Matrix?
        if patches {
            let all = arena.matrix(texts.count, images.embedding.rows)
            GEMM.single(textSide.embedding, false, images.embedding, true, into: all, alpha: scale)
            patchLogits = all
        }
        return Tape(
            vision: visionTape, text: textTape, images: images, texts: textSide, logits: logits,
            patchLogits: patchLogits)
    }

    /// From the gradients of the logits; adds to the gradients of everything trained.
    package func backward(_ tape: Tape, dLogits: Matrix, dPatchLogits: Matrix? = nil, _ arena: Arena) {
        if let gradient = logitScale.gradient {
            // d(exp(s)·cos)/ds = the logit itself.
            func add(_ d: Matrix, _ logits: Matrix) {
                for sum in rowDots(d, logits) { gradient.base[0] += sum }
            }
            add(dLogits, tape.logits)
            if let dPatchLogits, let patchLogits = tape.patchLogits { add(dPatchLogits, patchLogits) }
        }
        let images = tape.images.embedding
        let dImages = arena.zeros(images.rows, config.projectionDim)
        let dTexts = arena.matrix(dLogits.columns, config.projectionDim)
        let (classes, dClasses) = (
            spaced(images, rows: dLogits.rows), spaced(dImages, rows: dLogits.rows)
        )
        GEMM.single(dLogits, false, tape.texts.embedding, false, into: dClasses, alpha: scale)
        GEMM.single(dLogits, true, classes, false, into: dTexts, alpha: scale)
        if let dPatchLogits {
            GEMM.single(dPatchLogits, true, tape.texts.embedding, false, into: dImages, alpha: scale, beta: 1)
            GEMM.single(dPatchLogits, false, images, false, into: dTexts, alpha: scale, beta: 1)
        }

        let dTextPooled = unproject(tape.texts, textProjection, dTexts, arena)
        text.backward(tape.text, dPooled: dTextPooled, arena)

        let dVisionPooled = unproject(tape.images, visionProjection, dImages, arena)
        let dHidden = arena.zeros(tape.vision.hidden.rows, tape.vision.hidden.columns)
        postNorm.backward(
            tape.images.states, tape.images.statistics, dy: dVisionPooled,
            dx: spaced(dHidden, rows: images.rows))
        vision.backward(tape.vision, dHidden: dHidden, arena)
    }

    /// Back through x/‖x‖ and the projection.
    private func unproject(_ side: Side, _ projection: Linear, _ dUnit: Matrix, _ arena: Arena) -> Matrix {
        unitRowsBackward(side.projected, side.embedding, dy: dUnit)
        let dPooled = arena.matrix(dUnit.rows, projection.inputs)
        projection.backward(side.pooled, low: nil, dy: dUnit, dx: dPooled, accumulate: false, arena)
        return dPooled
    }
}
