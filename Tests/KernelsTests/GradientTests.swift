import CKernels
import Foundation
import Kernels
import Random
import Testing

/// A kernel against its definition, written naively in Double: the forward pass by value, the backward pass
/// by central differences of Σ dy · y over every input element.
struct GradientCase: Sendable, CustomTestStringConvertible {
    typealias Values = [[Double]]

    let name: String
    /// rows × columns of each input
    let inputs: [(Int, Int)]
    let output: (Int, Int)
    /// The definition: inputs → output, each row after row.
    let definition: @Sendable (Values) -> [Double]
    let forward: @Sendable ([Matrix], Matrix) -> Void
    /// Adds to (or, where the kernel writes, writes to) the gradient of every input, zero at first.
    let backward:
        @Sendable (_ inputs: [Matrix], _ output: Matrix, _ dy: Matrix, _ gradients: [Matrix]) -> Void
    var testDescription: String { name }

    func check(seed: UInt64) -> [String] {
        let inputs = self.inputs.enumerated().map { Strided($1.0, $1.1, seed: seed &+ UInt64($0)) }
        let values = inputs.map { $0.matrix.values.map(Double.init) }
        let y = Strided(output.0, output.1, seed: 0)
        let dy = Strided(output.0, output.1, seed: seed &+ 99)
        let gradients = self.inputs.map { size in
            let gradient = Strided(size.0, size.1, seed: 0)
            gradient.matrix.fill(0)
            return gradient
        }
        // A matrix doesn't keep its memory, and an array ends with its last use.
        defer { withExtendedLifetime((inputs, gradients, y, dy)) {} }
        forward(inputs.map(\.matrix), y.matrix)
        backward(inputs.map(\.matrix), y.matrix, dy.matrix, gradients.map(\.matrix))

        var faults: [String] = []
        func compare(_ what: String, _ found: [Float], _ wanted: [Double], _ tolerance: Double) {
            let scale = max(1, wanted.map(abs).max() ?? 0)
            for (i, pair) in zip(found, wanted).enumerated()
            where !(abs(Double(pair.0) - pair.1) <= tolerance * scale) {
                faults.append("\(what)[\(i)]: \(pair.0), not \(pair.1)")
            }
        }
        compare("y", y.matrix.values, definition(values), 3e-6)
        let weights = dy.matrix.values.map(Double.init)
        func sum(_ values: Values) -> Double {
            zip(definition(values), weights).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for input in values.indices {
            let differences = values[input].indices.map { at in
                var (up, down) = (values, values)
                up[input][at] += 1e-5
                down[input][at] -= 1e-5
                return (sum(up) - sum(down)) / 2e-5
            }
            compare("d(input \(input))", gradients[input].matrix.values, differences, 1e-5)
        }
        if !(gradients + [y]).allSatisfy(\.gapsHold) { faults.append("it wrote beyond its columns") }
        return faults
    }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// Rows of `columns` in turn.
private func rows(_ values: [Double], _ columns: Int) -> [[Double]] {
    stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<$0 + columns]) }
}

@Suite struct GradientTests {
    static let norms: [GradientCase] = [1, 7, 33].flatMap { width in
        [
            GradientCase(
                name: "RMSNorm, width \(width)", inputs: [(5, width), (1, width)], output: (5, width),
                definition: { values in
                    rows(values[0], width).flatMap { x in
                        let scale = 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-3).squareRoot()
                        return zip(x, values[1]).map { $0 * scale * $1 }
                    }
                },
                forward: { inputs, y in
                    withExtendedLifetime(Buffer(count: 5)) { buffer in
                        rmsNorm(
                            inputs[0], inputs[1], epsilon: 1e-3, into: y,
                            inverse: buffer.matrix(rows: 5, columns: 1))
                    }
                },
                backward: { inputs, y, dy, gradients in
                    withExtendedLifetime(Buffer(count: 5)) { buffer in
                        let inverse = buffer.matrix(rows: 5, columns: 1)
                        rmsNorm(inputs[0], inputs[1], epsilon: 1e-3, into: y, inverse: inverse)
                        rmsNormBackward(
                            inputs[0], inputs[1], inverse: inverse, dy: dy, dx: gradients[0],
                            dw: gradients[1])
                    }
                }),
            GradientCase(
                name: "LayerNorm, width \(width)", inputs: [(5, width), (1, width), (1, width)],
                output: (5, width),
                definition: { values in
                    rows(values[0], width).flatMap { x in
                        let mean = x.reduce(0, +) / Double(width)
                        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
                        let scale = 1 / (variance + 1e-3).squareRoot()
                        return x.indices.map { (x[$0] - mean) * scale * values[1][$0] + values[2][$0] }
                    }
                },
                forward: { inputs, y in
                    withExtendedLifetime(Buffer(count: 10)) { buffer in
                        layerNorm(
                            inputs[0], inputs[1], inputs[2], epsilon: 1e-3, into: y,
                            statistics: buffer.matrix(rows: 5, columns: 2))
                    }
                },
                backward: { inputs, y, dy, gradients in
                    withExtendedLifetime(Buffer(count: 10)) { buffer in
                        let statistics = buffer.matrix(rows: 5, columns: 2)
                        layerNorm(
                            inputs[0], inputs[1], inputs[2], epsilon: 1e-3, into: y, statistics: statistics)
                        layerNormBackward(
                            inputs[0], inputs[1], statistics: statistics, dy: dy, dx: gradients[0],
                            dw: gradients[1], db: gradients[2])
                    }
                }),
        ]
    }

    /// Of a head of 10 channels and the base 100.
    private static let frequencies = (0..<5).map { Float(pow(100, -Double($0) / 5)) }

    static let elementwise: [GradientCase] = [
        GradientCase(
            name: "SiLU · up", inputs: [(3, 37), (3, 37)], output: (3, 37),
            definition: { values in zip(values[0], values[1]).map { $0 * sigmoid($0) * $1 } },
            forward: { siluMultiply($0[0], $0[1], into: $1) },
            backward: { inputs, _, dy, gradients in
                siluMultiplyBackward(inputs[0], inputs[1], dy: dy, dgate: gradients[0], dup: gradients[1])
            }),
        GradientCase(
            name: "GELU", inputs: [(3, 37)], output: (3, 37),
            definition: { values in values[0].map { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) } },
            forward: { Activation.gelu.apply($0[0], into: $1) },
            backward: { inputs, _, dy, gradients in
                Activation.gelu.applyBackward(inputs[0], dy: dy, into: gradients[0])
            }),
        GradientCase(
            name: "GELU by tanh", inputs: [(3, 37)], output: (3, 37),
            definition: { values in
                values[0].map {
                    0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
                }
            },
            forward: { Activation.geluTanh.apply($0[0], into: $1) },
            backward: { inputs, _, dy, gradients in
                Activation.geluTanh.applyBackward(inputs[0], dy: dy, into: gradients[0])
            }),
        GradientCase(
            name: "quick-GELU", inputs: [(3, 37)], output: (3, 37),
            definition: { values in values[0].map { $0 * sigmoid(1.702 * $0) } },
            forward: { Activation.quickGELU.apply($0[0], into: $1) },
            backward: { inputs, _, dy, gradients in
                Activation.quickGELU.applyBackward(inputs[0], dy: dy, into: gradients[0])
            }),
        GradientCase(
            name: "RoPE", inputs: [(4, 30)], output: (4, 30),
            definition: { values in
                // Three heads of width 10: (i, i + 5) turn by position · 100^(−2i/10).
                zip(rows(values[0], 30), [0.0, 3, 11, 4]).flatMap { row, position in
                    (0..<30).map { at in
                        let i = at % 5
                        let angle = position * pow(100, -2 * Double(i) / 10)
                        let isFirst = at % 10 < 5
                        return row[at] * cos(angle) + (isFirst ? -row[at + 5] : row[at - 5]) * sin(angle)
                    }
                }
            },
            forward: { inputs, y in
                y.copy(from: inputs[0])
                RotaryTable(frequencies: frequencies, positions: 12).rotate(y, positions: [0, 3, 11, 4])
            },
            backward: { _, _, dy, gradients in
                gradients[0].copy(from: dy)
                RotaryTable(frequencies: frequencies, positions: 12)
                    .rotateBackward(gradients[0], positions: [0, 3, 11, 4])
            }),
        GradientCase(
            name: "unit rows", inputs: [(3, 37)], output: (3, 37),
            definition: { values in
                rows(values[0], 37).flatMap { x in
                    let norm = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    return x.map { $0 / norm }
                }
            },
            forward: { unitRows($0[0], into: $1) },
            backward: { inputs, y, dy, gradients in
                gradients[0].copy(from: dy)
                unitRowsBackward(inputs[0], y, dy: gradients[0])
            }),
        GradientCase(
            name: "gathered rows", inputs: [(4, 37)], output: (3, 37),
            definition: { values in [2, 0, 2].flatMap { rows(values[0], 37)[$0] } },
            forward: { gatherRows([2, 0, 2], of: $0[0], into: $1) },
            backward: { _, _, dy, gradients in scatterRows(dy, to: [2, 0, 2], of: gradients[0]) }),
        GradientCase(
            name: "rows and a bias", inputs: [(3, 37), (1, 37)], output: (3, 37),
            definition: { values in
                rows(values[0], 37).flatMap { zip($0, values[1]).map { $0 + $1 } }
            },
            forward: { inputs, y in
                y.fill(0)
                addRows(inputs[0], to: y)
                addBias(inputs[1], to: y)
            },
            backward: { _, _, dy, gradients in
                addRows(dy, to: gradients[0])
                addColumnSums(dy, to: gradients[1])
            }),
        GradientCase(
            name: "log-probability", inputs: [(3, 37)], output: (3, 1),
            definition: { values in
                zip(rows(values[0], 37), [0, 36, 5]).map { logits, target in
                    logits[target] - log(logits.reduce(0) { $0 + exp($1) })
                }
            },
            forward: { inputs, y in
                for (row, target) in [0, 36, 5].enumerated() {
                    y[row, 0] = logProbability(inputs[0].row(row), 37, of: target)
                }
            },
            backward: { inputs, _, dy, gradients in
                gradients[0].copy(from: inputs[0])
                for (row, target) in [0, 36, 5].enumerated() {
                    logProbabilityBackward(gradients[0].row(row), 37, of: target, weight: dy[row, 0])
                }
            }),
    ]

    @Test(arguments: norms + elementwise + AttentionCases.all, [3, 1000] as [UInt64])
    func agreesWithItsDefinition(_ kernel: GradientCase, seed: UInt64) {
        #expect(kernel.check(seed: seed) == [])
    }

    /// Logits far apart, where a careless exponential overflows or loses the tail.
    @Test func logProbabilityOfExtremes() {
        #expect(logProbability([300, -300, 0], 3, of: 0) == 0)
        #expect(logProbability([300, -300, 0], 3, of: 1) == -600)
        #expect(abs(logProbability([-1e30, 2, 2], 3, of: 1) + Float(log(2.0))) < 1e-6)
    }

    /// Wherever the largest logit stands, it is found, in rows of every length.
    @Test func logProbabilityFindsThePeak() {
        for columns in 1...70 {
            for peak in 0..<columns {
                var logits = [Float](repeating: -500, count: columns)
                logits[peak] = 500
                #expect(logProbability(logits, columns, of: peak) == 0, "\(peak) of \(columns)")
            }
        }
    }

    /// Sigmoids far out: no NaN, and the right limits.
    @Test func activationsOfExtremes() {
        let input = Buffer([-1000, -100, -20, 20, 100, 1000])
        let output = Buffer(count: 6)
        let (source, result) = (input.matrix(rows: 1, columns: 6), output.matrix(rows: 1, columns: 6))
        for activation in [Activation.gelu, .quickGELU, .geluTanh] {
            activation.apply(source, into: result)
            #expect(result.values.prefix(3).allSatisfy { abs($0) < 1e-6 })
            #expect(zip(result.values, source.values).suffix(3).allSatisfy { abs($0 - $1) <= 1e-6 * $1 })
        }
    }

    /// A draw is where the running sum of the weights passes the point, but for rounding at the borders.
    @Test(arguments: [1, 40, 64, 65, 1000]) func drawsWalkTheDistribution(count: Int) {
        var generator = SplitMix64(seed: UInt64(count))
        let logits = (0..<count).map { _ in Float(generator.nextGaussian() * 2) }
        let weights = logits.map { exp(Double($0) * 0.7) }
        let total = weights.reduce(0, +)
        for point in 0..<400 {
            let uniform = (Double(point) + 0.5) / 400
            let drawn = sl_draw(count, logits, 0.7, uniform)
            let before = weights[..<drawn].reduce(0, +) / total
            #expect(before - 1e-6 <= uniform && uniform <= before + weights[drawn] / total + 1e-6)
        }
    }
}
