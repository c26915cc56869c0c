import Checkpoint
import Decoding
import Kernels
import Model

/// One stream of a decoder of 1.1 B parameters (TinyLlama's shape). Of every new token each weight is read once, so that
/// memory is the limit; a prompt is limited by products.
struct DecodeBench {
    struct Report: Codable {
        let parameters: Int
        let promptTokensPerSecond: Series
        let tokensPerSecond: Series
        let readGigabytesPerSecond: Double
        /// Of the tokens a plain read of the same memory allows.
        let bandwidthFraction: Series
        /// Of bf16, with weights in int8.
        let int8TokensPerSecond: Series?
        /// llama.cpp's in the same turns.
        let peerPromptTokensPerSecond: Series?
        let peerTokensPerSecond: Series?

        var int8Gain: Series? { int8TokensPerSecond.map { .ratio($0, tokensPerSecond) } }
        var promptRatio: Series? { peerPromptTokensPerSecond.map { .ratio(promptTokensPerSecond, $0) } }
        var ratio: Series? { peerTokensPerSecond.map { .ratio(tokensPerSecond, $0) } }
    }

    /// As Tests/Benchmarks/peers.py has them.
    private static let (promptTokens, tokens) = (512, 32)

    private static func decoder(_ compute: Compute) throws -> Llama {
        var config = LlamaConfig()
        (config.vocabSize, config.maxPositionEmbeddings) = (32000, 1024)
        (config.hiddenSize, config.intermediateSize, config.layerCount) = (2048, 5632, 22)
        (config.headCount, config.keyValueHeadCount, config.headDim) = (32, 4, 64)
        let half: HalfFloat? = compute == .f32 ? nil : .bf16
        return try Llama(
            PooledSource(compute, half: half, count: config.vocabSize * config.hiddenSize), config: config)
    }

    /// Decodes `tokens` after a prompt.
    private static func growth(_ decoder: Llama, prompt: Int, tokens: Int) -> () throws -> Void {
        let plan = GrowthPlan(samplers: [.greedy], stops: [], maxTokens: tokens, seed: 1)
        let grower = Grower(model: decoder, plan: plan, memory: 1 << 30, longestPrompt: prompt, records: 1)
        let request = GrowthRequest(id: "one", tokens: Array(5..<5 + Int32(prompt)), picture: nil)
        return { _ = try grower.grow([request]) { _, _, _ in [] } }
    }

    /// Takes a plain read, a prompt and an answer of either side in turns; of bf16 also an answer with int8 weights.
    static func measure(_ compute: Compute, rounds: Int, peer: Peer?) throws -> Report {
        let decoder = try decoder(compute)
        let answer = growth(decoder, prompt: 1, tokens: tokens)
        let prompt = growth(decoder, prompt: promptTokens, tokens: 1)
        var int8: (() throws -> Void)?
        if compute == .bf16 {
            let quantized = try self.decoder(compute)
            quantized.quantize()
            int8 = growth(quantized, prompt: 1, tokens: tokens)
        }
        var bytes = 0
        func read() { bytes = decoder.linears.reduce(0) { $0 + $1.readThrough() } }
        try answer()
        try int8?()
        read()
        var (reads, prompts, answers, int8Answers): ([Double], [Double], [Double], [Double]) = (
            [], [], [], []
        )
        var (peerPrompts, peerAnswers): ([Double], [Double]) = ([], [])
        for _ in 0..<rounds {
            reads.append(wallSeconds(read))
            answers.append(Double(tokens) / (try wallSeconds(answer)))
            if let int8 { int8Answers.append(Double(tokens) / (try wallSeconds(int8))) }
            prompts.append(Double(promptTokens) / (try wallSeconds(prompt)))
            if let peer {
                peerAnswers.append(try peer.turn("answer"))
                peerPrompts.append(try peer.turn("prompt"))
            }
        }
        return Report(
            parameters: decoder.parameters.reduce(0) { $0 + $1.count },
            promptTokensPerSecond: Series(prompts), tokensPerSecond: Series(answers),
            readGigabytesPerSecond: Double(bytes) * 1e-9 / median(reads),
            bandwidthFraction: Series(zip(answers, reads).map(*)),
            int8TokensPerSecond: int8.map { _ in Series(int8Answers) },
            peerPromptTokensPerSecond: peer.map { _ in Series(peerPrompts) },
            peerTokensPerSecond: peer.map { _ in Series(peerAnswers) })
    }
}
