import Foundation
import JSON
import Kernels
import Records

/// All figures of a run.
struct Findings {
    let training: Rate
    let sampling: Rate
    let products: ProductBench.Report
    let peers: (report: Peers.Report, raw: Data)?
    let threads: Int
    let isQuick: Bool
    let model: String

    private var trainingRatio: Double? {
        peers?.report.dpoTrain["f32"].map { training.perSecond / $0.pairsPerSecond }
    }

    private var samplingRatio: Double? {
        peers?.report.sample["f32"].map { sampling.perSecond / $0.newTokensPerSecond }
    }

    /// Ratios are null where no peer was measured.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        func record(_ value: some Encodable) throws -> JSON {
            .object(try Record(parsing: ArraySlice(try encoder.encode(value))))
        }
        var result = Record()
        result.set("dpo_train_vs_trl", try trainingRatio.map { try JSON.double($0) } ?? JSON.null)
        result.set("sample_vs_generate", try samplingRatio.map { try JSON.double($0) } ?? JSON.null)
        result.set("gemm_fraction", try .double(products.fraction))
        result.set("quick", .bool(isQuick))
        result.set("processor", .string(Environment.processor))
        result.set("threads", .int(threads))
        result.set("core", .string(GEMM.core))
        result.set("openblas", .string(GEMM.library))
        result.set("model", .string(model))
        result.set("dpo_train", try record(training))
        result.set("sample", try record(sampling))
        result.set("products", try record(products))
        if let peers { result.set("peers", .object(try Record(parsing: ArraySlice(peers.raw)))) }
        return Data(result.bytes + [UInt8(ascii: "\n")])
    }

    var table: String {
        func line(_ name: String, _ values: [Double?]) -> String {
            name.padding(toLength: 28, withPad: " ", startingAt: 0)
                + values.map { value in
                    let text = value.map { String(format: "%.2f", $0) } ?? "–"
                    return String(repeating: " ", count: max(0, 12 - text.count)) + text
                }.joined()
        }
        func head(_ names: [String]) -> String {
            String(repeating: " ", count: 28)
                + names.map { String(repeating: " ", count: max(0, 12 - $0.count)) + $0 }.joined()
        }
        let train = peers?.report.dpoTrain
        let sample = peers?.report.sample
        return [
            head(["sightline", "peer f32", "peer bf16", "× f32"]),
            line(
                "dpo-train, pairs/s",
                [
                    training.perSecond, train?["f32"]?.pairsPerSecond, train?["bf16"]?.pairsPerSecond,
                    trainingRatio,
                ]),
            line(
                "sample, new tokens/s",
                [
                    sampling.perSecond, sample?["f32"]?.newTokensPerSecond,
                    sample?["bf16"]?.newTokensPerSecond, samplingRatio,
                ]),
            "matrix products of a step: \(String(format: "%.2f", products.fraction)) of OpenBLAS alone",
            "\(Environment.processor), \(threads) threads, \(GEMM.core)",
        ].joined(separator: "\n")
    }
}
