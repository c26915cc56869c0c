import Checkpoint
import Kernels

/// CLIP's vision transformer. Keys under `vision_model.` as transformers' `CLIPVisionModel` has them,
/// misspelt `pre_layrnorm` included.
package final class ClipVisionTower: @unchecked Sendable {
    package let config: ClipVisionConfig
    let classEmbedding: Parameter
    let patches: Linear
    let positions: Parameter
    let preNorm: Norm
    let encoder: ClipEncoder
    let postNorm: Norm?

    /// - Parameter postNorm: no part of `forward`. A CLIP reads its class tokens through it; a LLaVA, which reads
    ///   patches only, has it to be written back.
    init(
        _ source: any ParameterSource, config: ClipVisionConfig, prefix: String, postNorm: Norm?
    ) throws {
        self.postNorm = postNorm
        self.config = config
        let width = config.hiddenSize
        classEmbedding = try source.parameter(
            prefix + "embeddings.class_embedding", [width], start: .normal(deviation: 0.07))
        let side = config.patchSize
        patches = Linear(
            weight: try source.parameter(
                prefix + "embeddings.patch_embedding.weight", [width, config.channelCount, side, side],
                start: .normal(deviation: 1 / Double(config.channelCount * side * side).squareRoot())))
        positions = try source.parameter(
            prefix + "embeddings.position_embedding.weight", [config.patchCount + 1, width],
            start: .normal(deviation: 0.3))
        preNorm = try Norm(source, prefix + "pre_layrnorm", width)
        encoder = try ClipEncoder(
            source, prefix: prefix,
            ClipEncoder.Settings(
                width: width, inner: config.intermediateSize, layers: config.layerCount,
                heads: config.headCount, epsilon: Float(config.layerNormEpsilon),
                activation: Activation(config.activation)))
    }

    package var parameters: [Parameter] {
        [classEmbedding, patches.weight, positions] + preNorm.parameters + encoder.parameters
            + (postNorm?.parameters ?? [])
    }

    package var linears: [Linear] { [patches] + encoder.linears }

    package struct Tape {
        let images: Int
        let columns: Matrix
        let embedded: Matrix
        let preStatistics: Matrix
        let encoder: ClipEncoder.Tape
        /// Hidden states after `depth` layers, `[images·(1 + patches) × C]`, class token first.
        package let hidden: Matrix
    }

    /// - Parameter pixels: per image, planar `[3, H, W]`.
    /// - Parameter depth: layers to run; transformers' `hidden_states[depth]`.
    package func forward(_ pixels: [[Float]], depth: Int, _ arena: Arena) -> Tape {
        let (width, count) = (config.hiddenSize, config.patchCount)
        let (columns, tokens) = embedPatches(pixels, arena)
        let embedded = arena.matrix(pixels.count * (count + 1), width)
        for image in 0..<pixels.count {
            let own = embedded.rows(rows(of: image))
            own.rows(0..<1).copy(from: classEmbedding.value)
            own.rows(1..<count + 1).copy(from: tokens.rows(image * count..<(image + 1) * count))
            addRows(positions.value, to: own)
        }
        let (x, statistics) = preNorm.forward(embedded, Float(config.layerNormEpsilon), arena)
        let segments = (0..<pixels.count).map { image in
            AttentionSegment(queries: rows(of: image), own: rows(of: image), causal: false)
        }
        let tape = encoder.forward(x, segments, depth: depth, arena)
        return Tape(
            images: pixels.count, columns: columns, embedded: embedded, preStatistics: statistics,
            encoder: tape, hidden: tape.output)
    }

    /// `dHidden` `[images·(1 + patches) × C]` is used up.
    package func backward(_ tape: Tape, dHidden: Matrix, _ arena: Arena) {
        encoder.backward(tape.encoder, dy: dHidden, arena)
        let dEmbedded = arena.zeros(dHidden.rows, dHidden.columns)
        preNorm.backward(tape.embedded, tape.preStatistics, dy: dHidden, dx: dEmbedded)
        let (width, count) = (config.hiddenSize, config.patchCount)
        let dTokens = arena.matrix(tape.images * count, width)
        for image in 0..<tape.images {
            let own = dEmbedded.rows(rows(of: image))
            if let gradient = positions.gradient { addRows(own, to: gradient) }
            if let gradient = classEmbedding.gradient { addRows(own.rows(0..<1), to: gradient) }
            dTokens.rows(image * count..<(image + 1) * count).copy(from: own.rows(1..<count + 1))
        }
        patches.backward(tape.columns, low: nil, dy: dTokens, dx: nil, accumulate: false, arena)
    }

    /// Of an image: its class token, then its patches.
    private func rows(of image: Int) -> Range<Int> {
        image * (config.patchCount + 1)..<(image + 1) * (config.patchCount + 1)
    }

    /// Scales the position embedding to the length that the patches of these pictures have. A decoder has
    /// positions of its own, but a class token knows of places only what the patches tell it, and positions that
    /// are faint beside the colours are not learned: at a seventh of their length places stayed at chance for
    /// 4,000 steps, at their length the best patch told 84% of them after 750.
    package func levelPositions(with pixels: [[Float]], _ arena: Arena) {
        func meanSquare(_ x: Matrix) -> Double { sumOfSquares(x) / Double(x.count) }
        let embedded = embedPatches(pixels, arena).tokens
        let factor = (meanSquare(embedded) / meanSquare(positions.value)).squareRoot()
        scaleRows(positions.value, by: Float(factor))
    }

    /// Patches as rows `[images·patches × 3·side²]`, and embedded without their positions.
    private func embedPatches(_ pixels: [[Float]], _ arena: Arena) -> (columns: Matrix, tokens: Matrix) {
        let count = config.patchCount
        let columns = arena.matrix(pixels.count * count, patches.inputs)
        Parallel.run(pixels.count) { unfold(pixels[$0], into: columns.rows($0 * count..<($0 + 1) * count)) }
        return (columns, patches.forward(columns, arena).y)
    }

    /// Patches as rows, in the order of the convolution's weight `[C, side, side]`.
    private func unfold(_ pixels: [Float], into columns: Matrix) {
        let (side, grid, size) = (config.patchSize, config.imageSize / config.patchSize, config.imageSize)
        precondition(pixels.count == config.channelCount * size * size)
        pixels.withUnsafeBufferPointer { pixels in
            for patch in 0..<grid * grid {
                var to = columns.row(patch)
                for channel in 0..<config.channelCount {
                    for y in 0..<side {
                        let row = (channel * size + patch / grid * side + y) * size + patch % grid * side
                        to.update(from: pixels.baseAddress! + row, count: side)
                        to += side
                    }
                }
            }
        }
    }
}
