import Foundation
import JSON
import Kernels
import Records
import Tables

/// All figures of a benchmark of speed.
struct BenchReport {
    /// One kind of work, by how it was computed: ours, the peers', and ratios turn by turn.
    struct Work {
        let own: [Compute: Series]
        let peers: [Compute: Series]
        /// What each peer says of itself.
        let introductions: [Data]

        init(_ own: [Compute: [Double]], _ peers: [Compute: [Double]], _ sides: [Peer]) {
            self.own = own.mapValues { Series($0) }
            self.peers = peers.mapValues { Series($0) }
            introductions = sides.map(\.introduction)
        }

        /// The rates of the last turn.
        var latest: String {
            Compute.compared.compactMap { compute in
                guard let rate = own[compute]?.turns.last else { return nil }
                let other = peers[compute]?.turns.last.map { " beside \(fixed($0, 2))" } ?? ""
                return "\(compute) \(fixed(rate, 2))\(other)"
            }.joined(separator: ", ")
        }

        func ratio(_ ours: Compute, _ theirs: Compute) -> Series? {
            guard let a = own[ours], let b = peers[theirs] else { return nil }
            return .ratio(a, b)
        }
    }

    let threads: Int
    let isQuick: Bool
    let model: String
    var training: Work?
    var sampling: Work?
    var products: [Compute: ProductBench.Report] = [:]
    var tiled: [Compute: TiledBench.Report] = [:]
    var decoding: [Compute: DecodeBench.Report] = [:]

    init(threads: Int, isQuick: Bool, model: String) {
        (self.threads, self.isQuick, self.model) = (threads, isQuick, model)
    }

    private var ratios: [(key: String, series: Series?)] {
        [
            ("dpo_train_vs_trl", training?.ratio(.f32, .f32)),
            ("dpo_train_bf16_vs_trl", training?.ratio(.bf16, .f32)),
            ("dpo_train_bf16_vs_trl_bf16", training?.ratio(.bf16, .bf16)),
            ("sample_vs_generate", sampling?.ratio(.f32, .f32)),
            ("sample_bf16_vs_generate", sampling?.ratio(.bf16, .f32)),
            ("sample_bf16_vs_generate_bf16", sampling?.ratio(.bf16, .bf16)),
            ("prompt_vs_llama_cpp", decoding[.f32]?.promptRatio),
            ("prompt_bf16_vs_llama_cpp_bf16", decoding[.bf16]?.promptRatio),
            ("decode_vs_llama_cpp", decoding[.f32]?.ratio),
            ("decode_bf16_vs_llama_cpp_bf16", decoding[.bf16]?.ratio),
        ]
    }

    /// Ratios are null where no peer was measured.
    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        func record(_ value: some Encodable) throws -> JSON {
            .object(try Record(parsing: ArraySlice(try encoder.encode(value))))
        }
        func number(_ value: Double?) throws -> JSON { try value.map { try .double($0) } ?? JSON.null }
        var result = Record()
        for (key, series) in ratios { result.set(key, try number(series?.median)) }
        result.set("gemm_fraction", try number(products[.f32]?.fraction))
        result.set("gemm_bf16_fraction", try number(products[.bf16]?.fraction))
        result.set("decode_bandwidth_fraction", try number(decoding[.bf16]?.bandwidthFraction.median))
        result.set("decode_int8_vs_bf16", try number(decoding[.bf16]?.int8Gain?.median))
        result.set("quick", .bool(isQuick))
        result.set("processor", .string(Environment.processor))
        result.set("threads", .int(threads))
        result.set("core", .string(GEMM.core))
        result.set("multiplies_bf16", .bool(Compute.multipliesBF16))
        result.set("openblas", .string(GEMM.library))
        result.set("model", .string(model))
        var turns = Record()
        for (key, series) in ratios { if let series { turns.set(key, try record(series)) } }
        for (name, work) in [("dpo_train", training), ("sample", sampling)] {
            guard let work else { continue }
            for compute in Compute.compared {
                if let own = work.own[compute] { turns.set("\(name)_\(compute)", try record(own)) }
                if let peer = work.peers[compute] { turns.set("\(name)_peer_\(compute)", try record(peer)) }
            }
            let said = try work.introductions.map { JSON.object(try Record(parsing: ArraySlice($0))) }
            if !said.isEmpty { turns.set("\(name)_peers", .array(said)) }
        }
        result.set("turns", .object(turns))
        for compute in Compute.compared {
            if let report = products[compute] { result.set("products_\(compute)", try record(report)) }
            if let report = tiled[compute] { result.set("smolvlm_256m_\(compute)", try record(report)) }
            if let report = decoding[compute] { result.set("decode_\(compute)", try record(report)) }
        }
        return Data(result.bytes + [UInt8(ascii: "\n")])
    }

    var table: String {
        func cell(_ series: Series?) -> String { series?.description ?? "–" }
        func row(_ name: String, _ work: Work?) -> [[String]] {
            guard let work else { return [] }
            return Compute.compared.map { compute in
                [
                    "\(name), \(compute)", cell(work.own[compute]), cell(work.peers[compute]),
                    cell(work.ratio(compute, .f32)), cell(work.ratio(compute, .bf16)),
                ]
            }
        }
        let rates = row("dpo-train, pairs/s", training) + row("sample, new tokens/s", sampling)
        var text = ""
        if !rates.isEmpty {
            text += TextTable([["", "sightline", "peer", "× peer f32", "× peer bf16"]] + rates).plainText
        }
        func share(_ compute: Compute, _ library: String) {
            guard let fraction = products[compute]?.fraction else { return }
            text += "matrix products of a \(compute) step: \(fixed(fraction, 2)) of \(library) alone\n"
        }
        share(.f32, "OpenBLAS")
        share(.bf16, "PyTorch's oneDNN")
        let streams = Compute.compared.compactMap { compute in
            decoding[compute].map { report in
                [
                    compute.rawValue, cell(report.promptTokensPerSecond), cell(report.promptRatio),
                    cell(report.tokensPerSecond), cell(report.ratio),
                    "\(fixed(report.bandwidthFraction.median, 2)) (\(fixed(report.readGigabytesPerSecond, 1)) GB/s)",
                ]
            }
        }
        if !streams.isEmpty {
            let head = [
                "1.1 B, one stream", "prompt, tokens/s", "× llama.cpp", "answer, tokens/s", "× llama.cpp",
                "of a plain read",
            ]
            text += TextTable([head] + streams).plainText
        }
        if let gain = decoding[.bf16]?.int8Gain {
            text += "answers with weights in int8: \(gain.description) times as fast as in bf16\n"
        }
        for compute in Compute.compared {
            guard let report = tiled[compute] else { continue }
            text +=
                "SmolVLM-256M, \(compute): \(report.secondsPerPicture.description) s for a picture of \(report.tiles) tiles, "
                + "then \(report.tokensPerSecond.description) tokens/s\n"
        }
        return text + "\(Environment.processor), \(threads) threads, \(GEMM.core)"
            + (Compute.multipliesBF16 ? "+bf16" : "")
    }
}

extension Compute {
    /// What peers compute in too.
    static let compared = [Compute.f32, .bf16]
}
