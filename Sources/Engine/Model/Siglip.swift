import Checkpoint
import Foundation
import Imaging
import Kernels

/// SigLIP (Zhai et al. 2023) and SigLIP 2 (Tschannen et al. 2025): two towers into one space, read forward only. Keys as
/// transformers' `SiglipModel` and `Siglip2Model`.
package final class Siglip: @unchecked Sendable {
    package let config: SiglipConfig
    private let vision: any SiglipPatches
    private let postNorm: Norm
    private let head: PoolingHead
    private let text: SiglipTextTower
    private let logitScale: Parameter
    private let logitBias: Parameter

    package init(_ source: any ParameterSource, config: SiglipConfig) throws {
        self.config = config
        let prefix = "vision_model."
        postNorm = try Norm(source, prefix + "post_layernorm", config.vision.hiddenSize)
        vision =
            switch config.kind {
            case .fixed:
                try ClipVisionTower(source, config: config.vision, prefix: prefix, postNorm: postNorm)
            case .flexible: try NaFlexTower(source, config: config, prefix: prefix)
            }
        head = try PoolingHead(source, prefix + "head.", config.vision)
        text = try SiglipTextTower(source, config: config.text, prefix: "text_model.")
        logitScale = try source.parameter("logit_scale", [1], start: .constant(Float(log(10.0))))
        logitBias = try source.parameter("logit_bias", [1], start: .constant(-10))
    }

    /// z, whose logistic function is the probability that picture and text belong together:
    /// exp(logit_scale) · cos + logit_bias.
    package func logit(_ cosine: Double) -> Double {
        exp(Double(logitScale.value.base[0])) * cosine + Double(logitBias.value.base[0])
    }

    /// Unit vectors `[N × C]`.
    package func embed(_ pictures: [TowerInput], _ arena: Arena) -> Matrix {
        let (states, rows) = vision.states(of: pictures, arena)
        let normed = postNorm.forward(states, Float(config.vision.layerNormEpsilon), arena).y
        return units(head.forward(normed, rows, arena), arena)
    }

    /// Unit vectors `[N × C]` of texts that are `maxPositionEmbeddings` tokens long, padding included.
    ///
    /// - Parameter visible: tokens that the others look at, for each text.
    package func embed(_ texts: [[Int32]], visible: [Range<Int>], _ arena: Arena) -> Matrix {
        units(text.forward(texts, visible, arena), arena)
    }

    private func units(_ x: Matrix, _ arena: Arena) -> Matrix {
        let result = arena.matrix(x.rows, x.columns)
        unitRows(x, into: result)
        return result
    }
}

/// A tower up to its last layer: rows of all pictures `[rows × C]`, and which belong to each.
private protocol SiglipPatches: Sendable {
    func states(of pictures: [TowerInput], _ arena: Arena) -> (states: Matrix, rows: [Range<Int>])
}

extension ClipVisionTower: SiglipPatches {
    fileprivate func states(of pictures: [TowerInput], _ arena: Arena) -> (states: Matrix, rows: [Range<Int>])
    {
        (
            states(pictures.map { $0.tiles[0] }, depth: config.layerCount, arena),
            pictures.indices.map(rows(of:))
        )
    }
}

/// The tower that reads rows of patches, of grids of any aspect: its square of positions is resized to each.
private final class NaFlexTower: SiglipPatches {
    private let patches: Linear
    private let positions: Parameter
    private let encoder: ClipEncoder
    /// Of the square of positions.
    private let side: Int

    init(_ source: any ParameterSource, config: SiglipConfig, prefix: String) throws {
        let vision = config.vision
        side = Int(Double(config.positionCount).squareRoot())
        patches = try Linear(
            source, prefix + "embeddings.patch_embedding",
            inputs: vision.channelCount * vision.patchSize * vision.patchSize, outputs: vision.hiddenSize,
            bias: true)
        positions = try source.parameter(
            prefix + "embeddings.position_embedding.weight", [config.positionCount, vision.hiddenSize],
            start: .normal(deviation: 0.3))
        encoder = try ClipEncoder(
            source, prefix: prefix,
            ClipEncoder.Settings(
                width: vision.hiddenSize, inner: vision.intermediateSize, layers: vision.layerCount,
                heads: vision.headCount, epsilon: Float(vision.layerNormEpsilon),
                activation: Activation(vision.activation)))
    }

    func states(of pictures: [TowerInput], _ arena: Arena) -> (states: Matrix, rows: [Range<Int>]) {
        var rows: [Range<Int>] = []
        for picture in pictures {
            let first = rows.last?.upperBound ?? 0
            rows.append(first..<first + picture.grid.height * picture.grid.width)
        }
        let values = arena.matrix(rows.last?.upperBound ?? 0, patches.inputs)
        for (picture, own) in zip(pictures, rows) {
            picture.tiles[0].withUnsafeBufferPointer { source in
                for (index, row) in own.enumerated() {
                    values.row(row).update(
                        from: source.baseAddress! + index * patches.inputs, count: patches.inputs)
                }
            }
        }
        let x = patches.forward(values, arena).y
        for (picture, own) in zip(pictures, rows) {
            let placed = arena.matrix(own.count, x.columns)
            resizePositions(to: picture.grid, into: placed)
            addRows(placed, to: x.rows(own))
        }
        let segments = rows.map { AttentionSegment(queries: $0, own: $0, causal: false) }
        encoder.run(x, segments, depth: encoder.settings.layers, arena)
        return (x, rows)
    }

    /// Bilinear, with the triangle widened where the square shrinks.
    private func resizePositions(to grid: PictureSize, into placed: Matrix) {
        let (down, across) = (Self.weights(side, grid.height), Self.weights(side, grid.width))
        for (row, rows) in down.enumerated() {
            for (column, columns) in across.enumerated() {
                let target = placed.row(row * grid.width + column)
                target.update(repeating: 0, count: placed.columns)
                for (y, a) in rows {
                    for (x, b) in columns {
                        let source = positions.value.row(y * side + x)
                        for i in 0..<placed.columns { target[i] += a * b * source[i] }
                    }
                }
            }
        }
    }

    /// For each of `target` places, the sources that it is the mean of, with their shares.
    private static func weights(_ source: Int, _ target: Int) -> [[(Int, Float)]] {
        let scale = Double(source) / Double(target)
        return (0..<target).map { place in
            let center = (Double(place) + 0.5) * scale - 0.5
            let shares = (0..<source).map { max(0, 1 - abs(Double($0) - center) / max(scale, 1)) }
            let sum = shares.reduce(0, +)
            return shares.enumerated().filter { $1 > 0 }.map { ($0, Float($1 / sum)) }
        }
    }
}

/// Attention of one learned query over all patches, then a perceptron beside it: a picture's vector.
private final class PoolingHead: Sendable {
    private let probe: Parameter
    /// Queries, keys and values side by side.
    private let projections: Linear
    private let out: Linear
    private let norm: Norm
    private let fc1: Linear
    private let fc2: Linear
    private let config: ClipVisionConfig

    init(_ source: any ParameterSource, _ prefix: String, _ config: ClipVisionConfig) throws {
        self.config = config
        let width = config.hiddenSize
        let start = ParameterStart.normal(deviation: 1 / Double(width).squareRoot())
        probe = try source.parameter(prefix + "probe", [1, 1, width], start: start)
        projections = Linear(
            weight: try source.parameter(
                prefix + "attention.in_proj_weight", [3 * width, width], start: start),
            bias: try source.parameter(
                prefix + "attention.in_proj_bias", [3 * width], start: .constant(0)))
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws -> Linear {
            try Linear(source, prefix + name, inputs: inputs, outputs: outputs, bias: true)
        }
        out = try linear("attention.out_proj", width, width)
        norm = try Norm(source, prefix + "layernorm", width)
        fc1 = try linear("mlp.fc1", width, config.intermediateSize)
        fc2 = try linear("mlp.fc2", config.intermediateSize, width)
    }

    /// x `[rows × C]` → `[pictures × C]`. The probe itself is no part of the sum.
    func forward(_ x: Matrix, _ rows: [Range<Int>], _ arena: Arena) -> Matrix {
        let width = config.hiddenSize
        let seen = projections.forward(x, arena).y
        let probes = arena.matrix(rows.count, width)
        for row in 0..<rows.count {
            probes.rows(row..<row + 1).copy(
                from: Matrix(probe.value.base, rows: 1, columns: width, stride: width))
        }
        let queries = projections.forward(probes, arena).y
        let context = arena.matrix(rows.count, width)
        attention(
            queries.columns(0..<width), seen.columns(width..<2 * width), seen.columns(2 * width..<3 * width),
            rows.enumerated().map { AttentionSegment(queries: $0..<$0 + 1, own: $1, causal: false) },
            AttentionShape(
                heads: config.headCount, keyValueHeads: config.headCount,
                headWidth: width / config.headCount, compute: out.weight.compute),
            into: context, logSumExp: nil)
        let y = out.forward(context, arena).y
        let normed = norm.forward(y, Float(config.layerNormEpsilon), arena).y
        let inner = fc1.forward(normed, arena).y
        Activation(config.activation).apply(inner, into: inner)
        addRows(fc2.forward(inner, arena).y, to: y)
        return y
    }
}

/// The text tower: every token sees every other, and the last position is the text's vector.
private final class SiglipTextTower: Sendable {
    private let config: SiglipTextConfig
    private let embedding: Parameter
    private let positions: Parameter
    private let encoder: ClipEncoder
    private let finalNorm: Norm
    private let head: Linear

    init(_ source: any ParameterSource, config: SiglipTextConfig, prefix: String) throws {
        self.config = config
        let width = config.hiddenSize
        embedding = try source.parameter(
            prefix + "embeddings.token_embedding.weight", [config.vocabSize, width],
            start: .normal(deviation: 0.3))
        positions = try source.parameter(
            prefix + "embeddings.position_embedding.weight", [config.maxPositionEmbeddings, width],
            start: .normal(deviation: 0.3))
        encoder = try ClipEncoder(
            source, prefix: prefix,
            ClipEncoder.Settings(
                width: width, inner: config.intermediateSize, layers: config.layerCount,
                heads: config.headCount, epsilon: Float(config.layerNormEpsilon),
                activation: Activation(config.activation)))
        finalNorm = try Norm(source, prefix + "final_layer_norm", width)
        head = try Linear(
            source, prefix + "head", inputs: width, outputs: config.projectionSize, bias: true)
    }

    func forward(_ texts: [[Int32]], _ visible: [Range<Int>], _ arena: Arena) -> Matrix {
        let (width, length) = (config.hiddenSize, config.maxPositionEmbeddings)
        precondition(texts.allSatisfy { $0.count == length })
        let x = arena.matrix(texts.count * length, width)
        gatherRows(texts.flatMap { $0.map { Int($0) } }, of: embedding.value, into: x)
        var segments: [AttentionSegment] = []
        for (index, visible) in visible.enumerated() {
            let own = index * length..<(index + 1) * length
            addRows(positions.value, to: x.rows(own))
            segments.append(
                AttentionSegment(
                    queries: own,
                    own: own.lowerBound + visible.lowerBound..<own.lowerBound + visible.upperBound,
                    causal: false))
        }
        encoder.run(x, segments, depth: config.layerCount, arena)
        let last = arena.matrix(texts.count, width)
        gatherRows(texts.indices.map { ($0 + 1) * length - 1 }, of: x, into: last)
        let normed = finalNorm.forward(last, Float(config.layerNormEpsilon), arena).y
        return head.forward(normed, arena).y
    }
}
