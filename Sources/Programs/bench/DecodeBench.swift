import Checkpoint
import Decoding
import Kernels
import Model
import Random

/// One stream of a decoder of 1.1 B parameters in bf16 (TinyLlama's shape) and beside it in int8: every token reads every
/// weight once, so that memory is the limit.
struct DecodeBench {
    struct Report: Codable {
        let parameters: Int
        let tokensPerSecond: Double
        let readGigabytesPerSecond: Double
        /// Of what a plain read of the same memory reaches, round by round.
        let fractions: [Double]
        let fraction: Double
        let int8TokensPerSecond: Double
        /// Tokens in int8 for one in bf16, round by round.
        let int8Gains: [Double]
        let int8Gain: Double
    }

    private static let tokens = 32

    private static func decoder() throws -> Llama {
        var config = LlamaConfig()
        (config.vocabSize, config.maxPositionEmbeddings) = (32000, 512)
        (config.hiddenSize, config.intermediateSize, config.layerCount) = (2048, 5632, 22)
        (config.headCount, config.keyValueHeadCount, config.headDim) = (32, 4, 64)
        return try Llama(PooledSource(), config: config)
    }

    /// Takes a plain read and both decodes in turns.
    static func measure(rounds: Int) throws -> Report {
        let (decoder, quantized) = (try decoder(), try decoder())
        quantized.quantize()
        let plan = GrowthPlan(samplers: [.greedy], stops: [], maxTokens: tokens, seed: 1)
        let growers = [decoder, quantized].map {
            Grower(model: $0, plan: plan, memory: 1 << 30, longestPrompt: 8, records: 1)
        }
        func decode(_ grower: Grower) throws {
            _ = try grower.grow([GrowthRequest(id: "one", tokens: Array(5..<13), picture: nil)]) { _, _, _ in
                []
            }
        }
        var bytes = 0
        func read() { bytes = decoder.linears.reduce(0) { $0 + $1.readThrough() } }
        try growers.forEach(decode)
        read()
        let turns = try (0..<rounds).map { _ in
            (
                read: wallSeconds(read), decode: try wallSeconds { try decode(growers[0]) },
                int8: try wallSeconds { try decode(growers[1]) }
            )
        }
        let fractions = turns.map { Double(tokens) * $0.read / $0.decode }
        let gains = turns.map { $0.decode / $0.int8 }
        return Report(
            parameters: decoder.parameters.reduce(0) { $0 + $1.count },
            tokensPerSecond: Double(tokens) / median(turns.map(\.decode)),
            readGigabytesPerSecond: Double(bytes) * 1e-9 / median(turns.map(\.read)), fractions: fractions,
            fraction: median(fractions), int8TokensPerSecond: Double(tokens) / median(turns.map(\.int8)),
            int8Gains: gains, int8Gain: median(gains))
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
