import Foundation
import JSON
import Kernels
import Records
import Tables

/// All figures of a benchmark of speed.
struct BenchReport {
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
        func row(_ name: String, _ values: [Double?]) -> [String] {
            [name] + values.map { $0.map { fixed($0, 2) } ?? "–" }
        }
        let train = peers?.report.dpoTrain
        let sample = peers?.report.sample
        let rates = [
            ["", "sightline", "peer f32", "peer bf16", "× f32"],
            row(
                "dpo-train, pairs/s",
                [
                    training.perSecond, train?["f32"]?.pairsPerSecond, train?["bf16"]?.pairsPerSecond,
                    trainingRatio,
                ]),
            row(
                "sample, new tokens/s",
                [
                    sampling.perSecond, sample?["f32"]?.newTokensPerSecond,
                    sample?["bf16"]?.newTokensPerSecond, samplingRatio,
                ]),
        ]
        return TextTable(rates).plainText
            + "matrix products of a step: \(fixed(products.fraction, 2)) of OpenBLAS alone\n"
            + "\(Environment.processor), \(threads) threads, \(GEMM.core)"
    }
}
