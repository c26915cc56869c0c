import Checkpoint
import Imaging
import Kernels

/// The vision transformer of Qwen2-VL (Wang et al. 2024) and Qwen2.5-VL (Bai et al. 2025): patches of any grid, placed by
/// rotary positions of their row and column, and a merger of neighboring patches. Keys under `model.visual.`, as
/// transformers from 4.52 on has them.
final class Qwen2VLTower: @unchecked Sendable {
    let config: Qwen2VLVisionConfig
    private let patches: Linear
    private let blocks: [Qwen2VLBlock]
    private let mergerNorm: RowNorm
    private let merger1: Linear
    private let merger2: Linear

    init(_ source: any ParameterSource, config: Qwen2VLVisionConfig, prefix: String) throws {
        self.config = config
        let (width, side) = (config.hiddenSize, config.patchSize)
        patches = Linear(
            weight: try source.parameter(
                prefix + "patch_embed.proj.weight", [width, 3, config.frameCount, side, side],
                start: .normal(deviation: 1 / Double(config.patchInputs).squareRoot())))
        blocks = try (0..<config.layerCount).map {
            try Qwen2VLBlock(source, "\(prefix)blocks.\($0).", config)
        }
        let joined = width * config.mergeSize * config.mergeSize
        mergerNorm = try RowNorm(source, prefix + "merger.ln_q", width, kind: config.kind)
        merger1 = try Linear(source, prefix + "merger.mlp.0", inputs: joined, outputs: joined, bias: true)
        merger2 = try Linear(
            source, prefix + "merger.mlp.2", inputs: joined, outputs: config.outputSize, bias: true)
    }

    var parameters: [Parameter] {
        patches.parameters + blocks.flatMap(\.parameters) + mergerNorm.parameters + merger1.parameters
            + merger2.parameters
    }

    var linears: [Linear] { [patches] + blocks.flatMap(\.linears) + [merger1, merger2] }

    /// Merged rows `[grid/merge² × C of the decoder]` of one picture, row after row.
    ///
    /// - Parameter input: rows of patches, those of a block of `merge` × `merge` beside each other.
    func features(of input: TowerInput, _ arena: Arena) -> Matrix {
        let layout = Qwen2VLLayout(input.grid, config)
        let rows = arena.matrix(layout.count, config.patchInputs)
        input.tiles[0].withUnsafeBufferPointer {
            rows.base.update(from: $0.baseAddress!, count: rows.count)
        }
        let result = arena.matrix(layout.count / layout.blockSize, config.outputSize)
        let mark = arena.mark
        defer { arena.release(to: mark) }
        let x = arena.matrix(layout.count, config.hiddenSize)
        gatherRows(layout.order, of: patches.forward(rows, arena).y, into: x)
        let rotary = Qwen2VLBlock.rotary(config, positions: max(input.grid.height, input.grid.width))
        for (index, block) in blocks.enumerated() {
            let isWhole = config.wholeLayers?.contains(index) ?? true
            block.run(x, layout.positions, isWhole ? layout.whole : layout.windows, rotary, arena)
        }
        let normed = mergerNorm.forward(x, arena)
        // Patches of a block lie beside each other: one row.
        let joined = Matrix(
            normed.base, rows: normed.rows / layout.blockSize, columns: normed.columns * layout.blockSize)
        let inner = merger1.forward(joined, arena).y
        Activation.gelu.apply(inner, into: inner)
        gatherRows(layout.back, of: merger2.forward(inner, arena).y, into: result)
        return result
    }
}

/// Where the patches of a picture stand, and what sees what.
private struct Qwen2VLLayout {
    /// Patches that are merged.
    let blockSize: Int
    /// The patch of each row in the order of windows.
    let order: [Int]
    /// Of each row in that order.
    let positions: [RotaryPosition]
    /// The row in that order of each merged block.
    let back: [Int]
    let whole: [AttentionSegment]
    let windows: [AttentionSegment]

    var count: Int { order.count }

    init(_ grid: PictureSize, _ config: Qwen2VLVisionConfig) {
        let merge = config.mergeSize
        let size = merge * merge
        let (height, width) = (grid.height / merge, grid.width / merge)
        let unit = config.wholeLayers == nil ? max(height, width) : config.windowUnits
        var blocks: [Int] = []
        var windows: [AttentionSegment] = []
        // Windows at the right and lower edge are smaller.
        for top in stride(from: 0, to: height, by: unit) {
            for left in stride(from: 0, to: width, by: unit) {
                let first = blocks.count * size
                for y in top..<min(top + unit, height) {
                    blocks += (left..<min(left + unit, width)).map { y * width + $0 }
                }
                let rows = first..<blocks.count * size
                windows.append(AttentionSegment(queries: rows, own: rows, causal: false))
            }
        }
        let all = 0..<blocks.count * size
        blockSize = size
        self.windows = windows
        whole = [AttentionSegment(queries: all, own: all, causal: false)]
        order = blocks.flatMap { block in (0..<size).map { block * size + $0 } }
        positions = blocks.flatMap { block in
            (0..<size).map { part in
                RotaryPosition(
                    time: 0, row: Int32(block / width * merge + part / merge),
                    column: Int32(block % width * merge + part % merge))
            }
        }
        var back = [Int](repeating: 0, count: blocks.count)
        for (row, block) in blocks.enumerated() { back[block] = row }
        self.back = back
    }
}

/// One layer of the tower; keys under `….blocks.N.`.
private final class Qwen2VLBlock: @unchecked Sendable {
    private let norm1: RowNorm
    private let norm2: RowNorm
    private let attention: Projections
    private let out: Linear
    /// fc1, or gate and up.
    private let inner: Projections
    private let down: Linear
    private let shape: AttentionShape

    init(_ source: any ParameterSource, _ prefix: String, _ config: Qwen2VLVisionConfig) throws {
        let (width, inside) = (config.hiddenSize, config.intermediateSize)
        let branch = 1 / Double(2 * config.layerCount).squareRoot()
        norm1 = try RowNorm(source, prefix + "norm1", width, kind: config.kind)
        norm2 = try RowNorm(source, prefix + "norm2", width, kind: config.kind)
        attention = try Projections(
            source, ["qkv"], under: prefix + "attn.", inputs: width, widths: [width, width, width], bias: true
        )
        out = try Linear(
            source, prefix + "attn.proj", inputs: width, outputs: width, bias: true, gain: branch)
        let isGated = config.kind == .qwen25
        inner = try Projections(
            source, isGated ? ["gate_proj", "up_proj"] : ["fc1"], under: prefix + "mlp.", inputs: width,
            widths: isGated ? [inside, inside] : [inside], bias: true)
        down = try Linear(
            source, prefix + (isGated ? "mlp.down_proj" : "mlp.fc2"), inputs: inside, outputs: width,
            bias: true,
            gain: branch)
        shape = AttentionShape(
            heads: config.headCount, keyValueHeads: config.headCount, headWidth: width / config.headCount,
            compute: out.weight.compute)
    }

    var linears: [Linear] { attention.linears + [out] + inner.linears + [down] }
    var parameters: [Parameter] { norm1.parameters + norm2.parameters + linears.flatMap(\.parameters) }

    /// Half of a head's pairs turn by rows, half by columns.
    static func rotary(_ config: Qwen2VLVisionConfig, positions: Int) -> RotaryTable {
        let pairs = config.hiddenSize / config.headCount / 2
        var turning = RotaryConfig()
        turning.theta = 10000
        let frequencies = turning.frequencies(headWidth: pairs)
        return RotaryTable(
            frequencies: frequencies + frequencies, positions: positions, sections: [0, pairs / 2, pairs / 2])
    }

    /// x `[T × C]` becomes the output.
    func run(
        _ x: Matrix, _ positions: [RotaryPosition], _ segments: [AttentionSegment], _ rotary: RotaryTable,
        _ arena: Arena
    ) {
        let mark = arena.mark
        defer { arena.release(to: mark) }
        let seen = attention.forward(norm1.forward(x, arena), arena).parts
        rotary.rotate(seen[0], positions: positions)
        rotary.rotate(seen[1], positions: positions)
        let context = arena.matrix(x.rows, x.columns)
        Kernels.attention(seen[0], seen[1], seen[2], segments, shape, into: context, logSumExp: nil)
        addRows(out.forward(context, arena).y, to: x)
        let read = inner.forward(norm2.forward(x, arena), arena).parts
        let active = arena.matrix(x.rows, read[0].columns)
        if read.count == 2 {
            siluMultiply(read[0], read[1], into: active)
        } else {
            Activation.quickGELU.apply(read[0], into: active)
        }
        addRows(down.forward(active, arena).y, to: x)
    }
}

/// LayerNorm in Qwen2-VL, RMSNorm in Qwen2.5-VL.
private final class RowNorm: @unchecked Sendable {
    private static let epsilon: Float = 1e-6
    private let weight: Parameter
    private let bias: Parameter?

    init(_ source: any ParameterSource, _ name: String, _ width: Int, kind: Qwen2VLConfig.Kind) throws {
        weight = try source.parameter(name + ".weight", [width], start: .constant(1))
        bias =
            kind == .qwen2 ? try source.parameter(name + ".bias", [width], start: .constant(0)) : nil
    }

    var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

    func forward(_ x: Matrix, _ arena: Arena) -> Matrix {
        let y = arena.matrix(x.rows, x.columns)
        if let bias {
            layerNorm(
                x, weight.value, bias.value, epsilon: Self.epsilon, into: y,
                statistics: arena.matrix(x.rows, 2))
        } else {
            rmsNorm(x, weight.value, epsilon: Self.epsilon, into: y, inverse: arena.matrix(x.rows, 1))
        }
        return y
    }
}
