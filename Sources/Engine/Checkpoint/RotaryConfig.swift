import Foundation

/// How a decoder's rotary positions turn: `rope_scaling` of transformers 4 (its type under `type` or `rope_type`) and
/// `rope_parameters` of 5, computed as transformers' `modeling_rope_utils.py` does.
package struct RotaryConfig: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case `default`, linear, dynamic, llama3, yarn
    }

    package var theta = 10000.0
    package var kind = Kind.default
    /// How many times longer the context is than that of training.
    package var factor = 1.0
    /// The context of training, of `llama3` and `yarn`.
    package var originalContext = 0
    /// Of `llama3`.
    package var lowFrequencyFactor = 1.0
    /// Of `llama3`.
    package var highFrequencyFactor = 4.0
    /// Of `yarn`: turns over the original context above which a frequency stays as it is.
    package var fastTurns = 32.0
    /// Of `yarn`: turns below which a frequency is divided by the factor.
    package var slowTurns = 1.0
    /// Of `yarn`: whether the borders of the ramp are whole channels.
    package var truncates = true
    /// What cosines and sines are multiplied by; 1 but for `yarn`.
    package var attentionFactor = 1.0
    /// `mrope_section`: how many frequencies turn by a token's time, row and column (Qwen2-VL); nil turns all by one
    /// position.
    package var sections: [Int]?

    package init() {}

    /// Radians per position of each pair of channels, in f32 as transformers has them.
    ///
    /// `dynamic` is the default within `max_position_embeddings`, and beyond it no model here reads.
    package func frequencies(headWidth: Int) -> [Float] {
        let powers = (0..<headWidth / 2).map { pow(theta, 2 * Double($0) / Double(headWidth)) }
        switch kind {
        case .default, .dynamic: return powers.map { Float(1 / $0) }
        case .linear: return powers.map { Float(1 / $0) / Float(factor) }
        case .llama3: return powers.map { llama3(Float(1 / $0)) }
        case .yarn: return yarn(powers, headWidth: headWidth)
        }
    }

    /// Whether all angles are numbers, and so is what queries and keys are multiplied by.
    func isFinite(headWidth: Int, positions: Int) -> Bool {
        frequencies(headWidth: headWidth).allSatisfy { ($0 * Float(positions)).isFinite }
            && Float(attentionFactor * attentionFactor).isFinite
    }

    /// Waves longer than the original context are stretched, short ones stay, those between are blended.
    private func llama3(_ frequency: Float) -> Float {
        let (context, low, high) = (
            Float(originalContext), Float(lowFrequencyFactor), Float(highFrequencyFactor)
        )
        let wave = 2 * Float.pi / frequency
        if wave < context / high { return frequency }
        if wave > context / low { return frequency / Float(factor) }
        let smooth = (context / wave - low) / (high - low)
        return (1 - smooth) * frequency / Float(factor) + smooth * frequency
    }

    /// Peng et al. 2023, "NTK-by-parts".
    private func yarn(_ powers: [Double], headWidth: Int) -> [Float] {
        func channel(turns: Double) -> Double {
            Double(headWidth) * log(Double(originalContext) / (turns * 2 * .pi)) / (2 * log(theta))
        }
        var (low, high) = (channel(turns: fastTurns), channel(turns: slowTurns))
        if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        (low, high) = (max(low, 0), min(high, Double(headWidth - 1)))
        if low == high { high += 0.001 }
        return powers.enumerated().map { index, power in
            let kept = 1 - Float(min(max((Double(index) - low) / (high - low), 0), 1))
            return Float(1 / (factor * power)) * (1 - kept) + Float(1 / power) * kept
        }
    }
}

// MARK: - In a file

extension RotaryConfig {
    /// The object under `rope_scaling` or `rope_parameters`.
    struct Parameters: Codable {
        var theta: Double?
        var ropeType: String?
        var type: String?
        var partialRotaryFactor: Double?
        var factor: Double?
        var originalContext: Int?
        var lowFrequencyFactor: Double?
        var highFrequencyFactor: Double?
        var attentionFactor: Double?
        var fastTurns: Double?
        var slowTurns: Double?
        var scale: Double?
        var scaleOfAll: Double?
        var truncates: Bool?
        var sections: [Int]?
        var isInterleaved: Bool?

        enum CodingKeys: String, CodingKey {
            case theta = "rope_theta"
            case ropeType = "rope_type"
            case type
            case partialRotaryFactor = "partial_rotary_factor"
            case factor
            case originalContext = "original_max_position_embeddings"
            case lowFrequencyFactor = "low_freq_factor"
            case highFrequencyFactor = "high_freq_factor"
            case attentionFactor = "attention_factor"
            case fastTurns = "beta_fast"
            case slowTurns = "beta_slow"
            case scale = "mscale"
            case scaleOfAll = "mscale_all_dim"
            case truncates = "truncate"
            case sections = "mrope_section"
            case isInterleaved = "mrope_interleaved"
        }

        init() {}
    }

    /// - Parameters:
    ///   - context: `max_position_embeddings`, which stands for an original context that isn't given.
    /// - Throws: what is wrong with the object, as text.
    mutating func read(_ parameters: Parameters, context: Int) throws(Refusal) {
        let type = parameters.ropeType ?? parameters.type ?? "default"
        let plain = ["none", "mrope"].contains(type) ? "default" : type
        guard let kind = Kind(rawValue: plain) else {
            let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal("the rotary scaling \"\(type)\" is not supported, only \(known)")
        }
        self.kind = kind
        theta = parameters.theta ?? theta
        guard theta > 0, theta.isFinite else { throw Refusal("rope_theta is not above zero") }
        if parameters.isInterleaved == true { throw Refusal("mrope_interleaved is not supported") }
        sections = parameters.sections
        guard kind != .default else { return }
        guard let factor = parameters.factor, factor >= 1, factor.isFinite else {
            throw Refusal("the rotary scaling \"\(type)\" needs a factor of at least 1")
        }
        self.factor = factor
        originalContext = parameters.originalContext ?? context
        guard originalContext > 0 else { throw Refusal("original_max_position_embeddings is not above zero") }
        if kind == .llama3 { try readLlama3(parameters) }
        if kind == .yarn { try readYarn(parameters) }
    }

    private mutating func readLlama3(_ parameters: Parameters) throws(Refusal) {
        guard let low = parameters.lowFrequencyFactor, let high = parameters.highFrequencyFactor,
            low > 0, high > low, high.isFinite
        else {
            throw Refusal(
                "the rotary scaling \"llama3\" needs low_freq_factor above 0 and a larger high_freq_factor")
        }
        (lowFrequencyFactor, highFrequencyFactor) = (low, high)
    }

    private mutating func readYarn(_ parameters: Parameters) throws(Refusal) {
        fastTurns = parameters.fastTurns ?? fastTurns
        slowTurns = parameters.slowTurns ?? slowTurns
        guard slowTurns > 0, fastTurns >= slowTurns, fastTurns.isFinite else {
            throw Refusal("the rotary scaling \"yarn\" needs beta_slow above 0 and no larger than beta_fast")
        }
        truncates = parameters.truncates ?? truncates
        attentionFactor = parameters.attentionFactor ?? Self.attentionFactor(factor, parameters)
        guard attentionFactor > 0, attentionFactor.isFinite else {
            throw Refusal("attention_factor is not above zero")
        }
    }

    private static func attentionFactor(_ factor: Double, _ parameters: Parameters) -> Double {
        func scale(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1 }
        if let one = parameters.scale, let all = parameters.scaleOfAll, one != 0, all != 0 {
            return scale(one) / scale(all)
        }
        return scale(1)
    }

    /// What is written, from which `read` makes the same again.
    var parameters: Parameters {
        var parameters = Parameters()
        parameters.theta = theta
        parameters.ropeType = kind.rawValue
        parameters.sections = sections
        guard kind != .default else { return parameters }
        parameters.factor = factor
        parameters.originalContext = kind == .linear || kind == .dynamic ? nil : originalContext
        if kind == .llama3 {
            parameters.lowFrequencyFactor = lowFrequencyFactor
            parameters.highFrequencyFactor = highFrequencyFactor
        }
        if kind == .yarn {
            parameters.attentionFactor = attentionFactor
            (parameters.fastTurns, parameters.slowTurns) = (fastTurns, slowTurns)
            parameters.truncates = truncates
        }
        return parameters
    }

    struct Refusal: Error {
        let finding: String
        init(_ finding: String) { self.finding = finding }
    }
}
