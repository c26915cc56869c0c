import CKernels
import Checkpoint
import Foundation
import Kernels

/// CLIP (Radford et al. 2021): two towers into one space. Keys as transformers' `CLIPModel`.
package final class Clip: @unchecked Sendable {
    package let config: ClipConfig
    package let vision: ClipVisionTower
    package let text: ClipTextTower
    let visionProjection: Linear
    let textProjection: Linear
    let logitScale: Parameter

    package init(_ source: any ParameterSource, config: ClipConfig) throws {
        self.config = config
        vision = try ClipVisionTower(source, config: config.vision, prefix: "vision_model.")
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
        let classStates: Matrix
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
    }

    package func embedImages(_ pixels: [[Float]], _ arena: Arena) -> (ClipVisionTower.Tape, Side) {
        let tape = vision.forward(pixels, depth: config.vision.layerCount, arena)
        let stride = config.vision.patchCount + 1
        let classStates = Matrix(
            tape.hidden.base, rows: pixels.count, columns: tape.hidden.columns,
            stride: stride * tape.hidden.stride)
        // A checkpoint without the last norm is not a CLIP: Norm is required by `init` there.
        let (pooled, statistics) = vision.postNorm!.forward(
            classStates, Float(config.vision.layerNormEpsilon), arena)
        return (tape, project(pooled, visionProjection, statistics, classStates, arena))
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
        embedding.copy(from: projected)
        for r in 0..<embedding.rows {
            let norm = Float(sl_sum_of_squares(embedding.columns, embedding.row(r)).squareRoot())
            sl_scale(embedding.columns, 1 / norm, embedding.row(r))
        }
        return Side(
            pooled: pooled, statistics: statistics, classStates: states, projected: projected,
            embedding: embedding)
    }

    /// logits `[images × texts]` = exp(logit_scale) · cos.
    package func forward(_ pixels: [[Float]], _ texts: [[Int32]], _ arena: Arena) -> Tape {
        let (visionTape, images) = embedImages(pixels, arena)
        let (textTape, textSide) = embedTexts(texts, arena)
        let logits = arena.matrix(pixels.count, texts.count)
        GEMM.single(images.embedding, false, textSide.embedding, true, into: logits, alpha: scale)
        return Tape(vision: visionTape, text: textTape, images: images, texts: textSide, logits: logits)
    }

    /// From the gradient of the logits; adds to the gradients of everything trained.
    package func backward(_ tape: Tape, dLogits: Matrix, _ arena: Arena) {
        if let gradient = logitScale.gradient {
            // d(exp(s)·cos)/ds = the logit itself.
            for r in 0..<dLogits.rows {
                gradient.base[0] += sl_dot(dLogits.columns, dLogits.row(r), tape.logits.row(r))
            }
        }
        let dImages = arena.matrix(dLogits.rows, config.projectionDim)
        let dTexts = arena.matrix(dLogits.columns, config.projectionDim)
        GEMM.single(dLogits, false, tape.texts.embedding, false, into: dImages, alpha: scale)
        GEMM.single(dLogits, true, tape.images.embedding, false, into: dTexts, alpha: scale)

        let dTextPooled = unproject(tape.texts, textProjection, dTexts, arena)
        text.backward(tape.text, dPooled: dTextPooled, arena)

        let dVisionPooled = unproject(tape.images, visionProjection, dImages, arena)
        let dHidden = arena.zeros(tape.vision.hidden.rows, tape.vision.hidden.columns)
        let stride = (config.vision.patchCount + 1) * dHidden.stride
        let dClass = Matrix(dHidden.base, rows: dLogits.rows, columns: dHidden.columns, stride: stride)
        vision.postNorm!.backward(
            tape.images.classStates, tape.images.statistics, dy: dVisionPooled, dx: dClass)
        vision.backward(tape.vision, dHidden: dHidden, arena)
    }

    /// Back through x/‖x‖ and the projection: d‖·‖ takes the part along the unit vector away.
    private func unproject(_ side: Side, _ projection: Linear, _ dUnit: Matrix, _ arena: Arena) -> Matrix {
        for r in 0..<dUnit.rows {
            let unit = side.embedding.row(r)
            let norm = Float(sl_sum_of_squares(dUnit.columns, side.projected.row(r)).squareRoot())
            let along = sl_dot(dUnit.columns, dUnit.row(r), unit)
            sl_axpy(dUnit.columns, -along, unit, dUnit.row(r))
            sl_scale(dUnit.columns, 1 / norm, dUnit.row(r))
        }
        let dPooled = arena.matrix(dUnit.rows, projection.inputs)
        projection.backward(side.pooled, low: nil, dy: dUnit, dx: dPooled, accumulate: false, arena)
        return dPooled
    }
}
