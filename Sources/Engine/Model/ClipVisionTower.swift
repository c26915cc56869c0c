import Checkpoint
import Kernels

/// CLIP's vision transformer, and those of its build: SigLIP's (Zhai et al. 2023) has neither class token nor a norm
/// before the layers, but a bias for its patches; Idefics3's (SmolVLM) is that one. Keys under `vision_model.` as
/// transformers has them, misspelt `pre_layrnorm` included.
package final class ClipVisionTower: @unchecked Sendable {
    package let config: ClipVisionConfig
    let classEmbedding: Parameter?
    let patches: Linear
    let positions: Parameter
    /// Which row of `positions` belongs to each row of a picture; nil where they are in order.
    private let places: [Int]?
    let preNorm: Norm?
    let encoder: ClipEncoder
    let postNorm: Norm?

    /// - Parameter postNorm: no part of `forward`. A CLIP reads its class tokens through it, a SmolVLM its patches; a
    ///   LLaVA, which reads patches only, has it to be written back.
    init(
        _ source: any ParameterSource, config: ClipVisionConfig, prefix: String, postNorm: Norm?
    ) throws {
        self.postNorm = postNorm
        self.config = config
        let width = config.hiddenSize
        let isClip = config.kind == .clip
        classEmbedding =
            isClip
            ? try source.parameter(
                prefix + "embeddings.class_embedding", [width], start: .normal(deviation: 0.07)) : nil
        let side = config.patchSize
        let patchName = prefix + "embeddings.patch_embedding"
        patches = Linear(
            weight: try source.parameter(
                patchName + ".weight", [width, config.channelCount, side, side],
                start: .normal(deviation: 1 / Double(config.channelCount * side * side).squareRoot())),
            bias: isClip ? nil : try source.parameter(patchName + ".bias", [width], start: .constant(0)))
        positions = try source.parameter(
            prefix + "embeddings.position_embedding.weight", [config.classCount + config.patchCount, width],
            start: .normal(deviation: 0.3))
        places = Self.places(config)
        preNorm = isClip ? try Norm(source, prefix + "pre_layrnorm", width) : nil
        encoder = try ClipEncoder(
            source, prefix: prefix,
            ClipEncoder.Settings(
                width: width, inner: config.intermediateSize, layers: config.layerCount,
                heads: config.headCount, epsilon: Float(config.layerNormEpsilon),
                activation: Activation(config.activation)))
    }

    package var parameters: [Parameter] {
        (classEmbedding.map { [$0] } ?? []) + patches.parameters + [positions] + (preNorm?.parameters ?? [])
            + encoder.parameters + (postNorm?.parameters ?? [])
    }

    package var linears: [Linear] { [patches] + encoder.linears }

    package struct Tape {
        let images: Int
        let columns: Matrix
        let embedded: Matrix
        /// Where there is a norm before the layers.
        let preStatistics: Matrix?
        let encoder: ClipEncoder.Tape
        /// Hidden states after `depth` layers, `[images·(class tokens + patches) × C]`, class token first.
        package let hidden: Matrix
    }

    /// - Parameter pixels: per image, planar `[3, H, W]`.
    /// - Parameter depth: layers to run; transformers' `hidden_states[depth]`.
    package func forward(_ pixels: [[Float]], depth: Int, _ arena: Arena) -> Tape {
        let (columns, embedded) = embed(pixels, arena)
        let normed = preNorm?.forward(embedded, Float(config.layerNormEpsilon), arena)
        let tape = encoder.forward(normed?.y ?? embedded, segments(pixels.count), depth: depth, arena)
        return Tape(
            images: pixels.count, columns: columns, embedded: embedded, preStatistics: normed?.statistics,
            encoder: tape, hidden: tape.output)
    }

    /// `hidden` of `forward`, with nothing else kept: some thousand rows at a time.
    package func states(_ pixels: [[Float]], depth: Int, _ arena: Arena) -> Matrix {
        let own = rows(of: 0).count
        let result = arena.matrix(pixels.count * own, config.hiddenSize)
        let some = max(1, 1024 / own)
        for first in stride(from: 0, to: pixels.count, by: some) {
            let mark = arena.mark
            let images = first..<min(first + some, pixels.count)
            let embedded = embed(Array(pixels[images]), arena).embedded
            let x = preNorm?.forward(embedded, Float(config.layerNormEpsilon), arena).y ?? embedded
            encoder.run(x, segments(images.count), depth: depth, arena)
            result.rows(first * own..<images.upperBound * own).copy(from: x)
            arena.release(to: mark)
        }
        return result
    }

    /// Patches as columns and with their places, class tokens before them.
    private func embed(_ pixels: [[Float]], _ arena: Arena) -> (columns: Matrix, embedded: Matrix) {
        let (count, first) = (config.patchCount, config.classCount)
        let (columns, tokens) = embedPatches(pixels, arena)
        let embedded = arena.matrix(pixels.count * (first + count), config.hiddenSize)
        let positions = placed(arena)
        for image in 0..<pixels.count {
            let own = embedded.rows(rows(of: image))
            if let classEmbedding { own.rows(0..<1).copy(from: classEmbedding.value) }
            own.rows(first..<first + count).copy(from: tokens.rows(image * count..<(image + 1) * count))
            addRows(positions, to: own)
        }
        return (columns, embedded)
    }

    /// Every picture sees itself.
    private func segments(_ images: Int) -> [AttentionSegment] {
        (0..<images).map { AttentionSegment(queries: rows(of: $0), own: rows(of: $0), causal: false) }
    }

    /// `dHidden` `[images·(class tokens + patches) × C]` is used up.
    package func backward(_ tape: Tape, dHidden: Matrix, _ arena: Arena) {
        encoder.backward(tape.encoder, dy: dHidden, arena)
        var dEmbedded = dHidden
        if let preNorm, let statistics = tape.preStatistics {
            dEmbedded = arena.zeros(dHidden.rows, dHidden.columns)
            preNorm.backward(tape.embedded, statistics, dy: dHidden, dx: dEmbedded)
        }
        let (width, count, first) = (config.hiddenSize, config.patchCount, config.classCount)
        let dTokens = arena.matrix(tape.images * count, width)
        for image in 0..<tape.images {
            let own = dEmbedded.rows(rows(of: image))
            if let gradient = positions.gradient { addPlaced(own, to: gradient) }
            if let gradient = classEmbedding?.gradient { addRows(own.rows(0..<1), to: gradient) }
            dTokens.rows(image * count..<(image + 1) * count).copy(from: own.rows(first..<first + count))
        }
        patches.backward(tape.columns, low: nil, dy: dTokens, dx: nil, accumulate: false, arena)
    }

    /// Of an image: its class token if there is one, then its patches.
    package func rows(of image: Int) -> Range<Int> {
        let count = config.classCount + config.patchCount
        return image * count..<(image + 1) * count
    }

    /// A position for every row of a picture.
    private func placed(_ arena: Arena) -> Matrix {
        guard let places else { return positions.value }
        let result = arena.matrix(places.count, positions.value.columns)
        gatherRows(places, of: positions.value, into: result)
        return result
    }

    private func addPlaced(_ rows: Matrix, to gradient: Matrix) {
        guard let places else { return addRows(rows, to: gradient) }
        scatterRows(rows, to: places, of: gradient)
    }

    /// Idefics3 finds a position by the bucket of a patch's place in its picture, from 0 to 1 in f32 (NaViT, Dehghani
    /// et al. 2023). In a full tile that is nearly always its number, but rounding may take the bucket before.
    private static func places(_ config: ClipVisionConfig) -> [Int]? {
        guard config.kind == .idefics3 || config.kind == .smolVLM else { return nil }
        let side = config.patchesPerSide
        let step = 1 / Double(side)
        let borders = (0...side).map { Float(step + Double($0) * step) }.filter { $0 < 1 }
        let buckets = (0..<side).map { index in
            let place = min(Float(index) * (1 / Float(side)), 1 - 1e-6)
            return borders.count { $0 <= place }
        }
        let places = buckets.flatMap { row in buckets.map { row * side + $0 } }
        return places == Array(0..<side * side) ? nil : places
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
        let (side, grid, size) = (config.patchSize, config.patchesPerSide, config.imageSize)
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
