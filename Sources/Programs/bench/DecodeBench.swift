import Checkpoint
import Decoding
import Kernels
import Model
import Random

/// One stream of a decoder of 1.1 B parameters stored in bf16 (TinyLlama's shape): every token reads every weight once, so
/// that memory is the limit.
struct DecodeBench {
    struct Report: Codable {
        let parameters: Int
        let tokensPerSecond: Double
        let readGigabytesPerSecond: Double
        /// Of what a plain read of the same memory reaches, round by round.
        let fractions: [Double]
        let fraction: Double
    }

    private static let tokens = 32

    /// Takes a plain read and a decode in turns.
    ///
    /// - Parameter compute: bf16 or int8.
    static func measure(_ compute: Compute, rounds: Int) throws -> Report {
        var config = LlamaConfig()
        (config.vocabSize, config.maxPositionEmbeddings) = (32000, 512)
        (config.hiddenSize, config.intermediateSize, config.layerCount) = (2048, 5632, 22)
        (config.headCount, config.keyValueHeadCount, config.headDim) = (32, 4, 64)
        let decoder = try Llama(PooledSource(), config: config)
        if compute == .int8 { decoder.quantize() }
        let plan = GrowthPlan(samplers: [.greedy], stops: [], maxTokens: tokens, seed: 1)
        let grower = Grower(model: decoder, plan: plan, memory: 1 << 30, longestPrompt: 8, records: 1)
        func decode() throws {
            _ = try grower.grow([GrowthRequest(id: "one", tokens: Array(5..<13), picture: nil)]) { _, _, _ in
                []
            }
        }
        var bytes = 0
        func read() { bytes = decoder.linears.reduce(0) { $0 + $1.readThrough() } }
        try decode()
        read()
        let turns = try (0..<rounds).map { _ in (read: wallSeconds(read), decode: try wallSeconds(decode)) }
        let fractions = turns.map { Double(tokens) * $0.read / $0.decode }
        return Report(
            parameters: decoder.parameters.reduce(0) { $0 + $1.count },
            tokensPerSecond: Double(tokens) / median(turns.map(\.decode)),
            readGigabytesPerSecond: Double(bytes) * 1e-9 / median(turns.map(\.read)), fractions: fractions,
            fraction: median(fractions))
    }
}

/// Random bf16 weights that share their memory until they are laid out for products.
private struct PooledSource: ParameterSource {
    private static let count = 32000 * 2048
    private let pool = Buffer(count: count / 2)

    init() {
        var random = SplitMix64(seed: 1)
        // Two of ±0.008 to ±0.016.
        for i in 0..<pool.count {
            pool.base[i] = Float(
                bitPattern: UInt32(truncatingIfNeeded: random.next()) & 0x807f_807f | 0x3c00_3c00)
        }
    }

    func has(_ name: String) -> Bool { true }

    func parameter(_ name: String, _ shape: [Int], start: ParameterStart) -> Parameter {
        guard shape.count == 2, case .normal = start else {
            return RandomSource(seed: 1).parameter(name, shape, start: start)
        }
        let bytes = UnsafeRawBufferPointer(start: pool.base, count: 2 * shape[0] * shape[1])
        let stored = StoredMatrix(
            mapped: bytes, as: .bf16, rows: shape[0], columns: shape[1], owner: pool, isFile: false)
        return Parameter(name: name, shape: shape, stored: stored, compute: .bf16)
    }
}
