import Foundation
import Kernels
import Random

/// How a token is drawn from logits. The order of the steps is that of transformers: temperature, top-k, top-p.
package struct Sampler: Sendable, Equatable {
    /// 0 is greedy.
    package var temperature: Double
    /// Keep the k likeliest tokens; 0 keeps all.
    package var topK: Int
    /// Keep the smallest set of likeliest tokens whose probabilities reach p; 1 keeps all.
    package var topP: Double
    /// Added to the logits of tokens before anything else.
    package var bias: [Int32: Float]

    package static let greedy = Sampler(temperature: 0)

    package init(temperature: Double, topK: Int = 0, topP: Double = 1, bias: [Int32: Float] = [:]) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.bias = bias
    }

    func draw(_ logits: UnsafeBufferPointer<Float>, _ generator: inout SplitMix64) -> Int32 {
        guard !bias.isEmpty else {
            return temperature == 0 ? likeliest(logits) : Int32(sampled(logits, &generator))
        }
        var biased = Array(logits)
        for (token, value) in bias { biased[Int(token)] += value }
        var plain = self
        plain.bias = [:]
        return biased.withUnsafeBufferPointer { plain.draw($0, &generator) }
    }

    private func sampled(_ logits: UnsafeBufferPointer<Float>, _ generator: inout SplitMix64) -> Int {
        let uniform = generator.nextUniform()
        guard topK > 0 || topP < 1 else {
            return drawIndex(logits, factor: Float(1 / temperature), uniform: uniform)
        }
        let peak = largest(logits)
        let weights = logits.map { exp(Double($0 - peak) / temperature) }
        var order = weights.indices.sorted { (weights[$0], $1) > (weights[$1], $0) }
        if topK > 0 { order = Array(order.prefix(topK)) }
        if topP < 1 {
            let total = order.reduce(0) { $0 + weights[$1] }
            var sum = 0.0
            var kept = 0
            while kept < order.count, kept == 0 || sum < topP * total {
                sum += weights[order[kept]]
                kept += 1
            }
            order = Array(order.prefix(kept))
        }
        return pick(order, weights, uniform)
    }

    private func pick(_ indices: [Int], _ weights: [Double], _ uniform: Double) -> Int {
        var left = uniform * indices.reduce(0) { $0 + weights[$1] }
        for index in indices {
            left -= weights[index]
            if left < 0 { return index }
        }
        return indices.last ?? 0
    }
}

/// The first of the largest logits.
func likeliest(_ logits: UnsafeBufferPointer<Float>) -> Int32 {
    let peak = largest(logits)
    return Int32(logits.firstIndex(of: peak) ?? 0)
}
