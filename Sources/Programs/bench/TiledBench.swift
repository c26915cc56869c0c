import Decoding
import Foundation
import Imaging
import Kernels
import Model
import PictureWorld
import Random

/// SmolVLM-256M's shape with its pictures cut into tiles: what a picture takes in the tower, and the drawing of answers to
/// pictures that are known.
struct TiledBench {
    struct Report: Codable {
        let tiles: Int
        let pictureRows: Int
        let secondsPerPicture: Series
        let tokensPerSecond: Series
    }

    private static let (pictures, answers, tokens) = (2, 5, 32)

    /// - Parameter folder: where the program `model`, which lies beside this one, puts the checkpoint if it isn't there.
    static func measure(_ compute: Compute, in folder: URL, rounds: Int) throws -> Report {
        let place = folder.appendingPathComponent("smolvlm-256m")
        if !FileManager.default.fileExists(atPath: place.path) { try make(place) }
        Compute.preferred = compute
        let model = try VisionLanguageModel(directory: place)
        let paths = try (0..<pictures).map { index in
            let path = folder.appendingPathComponent("tiled-\(index).png").path
            try writePNG(Scene.generate(seed: 1, split: .dev, index: index).draw(size: 512), to: path)
            return path
        }
        let cache = PictureCache(model, memory: 0)
        let shown = try cache.pictures(at: paths)
        let requests = try paths.indices.map { index in
            let encoded = try model.encode(
                prompt: "Describe the picture.", picture: model.shape(at: paths[index]))
            return GrowthRequest(id: paths[index], tokens: encoded.prompt, picture: shown[index])
        }
        let plan = GrowthPlan(
            samplers: Array(repeating: Sampler(temperature: 1), count: answers), stops: [],
            maxTokens: tokens, seed: 1)
        let grower = Grower(
            model: model.decoder, plan: plan, memory: 4 << 30,
            longestPrompt: requests.map(\.tokens.count).max() ?? 0, records: pictures)
        func draw() throws { _ = try grower.grow(requests) { _, _, _ in [] } }
        try draw()
        let turns = try (0..<rounds).map { _ in
            (
                picture: try wallSeconds { _ = try cache.pictures(at: paths) } / Double(pictures),
                rate: Double(pictures * answers * tokens) / (try wallSeconds(draw))
            )
        }
        return Report(
            tiles: try model.input(at: paths[0]).tiles.count, pictureRows: shown[0]?.rows ?? 0,
            secondsPerPicture: Series(turns.map(\.picture)), tokensPerSecond: Series(turns.map(\.rate)))
    }

    private static func make(_ place: URL) throws {
        let process = Process()
        let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent()
        process.executableURL = beside.appendingPathComponent("model")
        process.arguments = [
            "random", "smolvlm", "--size", "256m", "--no-ledger", "--quiet", "-o", place.path,
        ]
        do { try process.run() } catch {
            throw BenchError(
                place: process.executableURL!.path, finding: "it can't be started: \(error)",
                remedy: "build all programs")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchError(
                place: process.executableURL!.path, finding: "it failed",
                remedy: "see what it says above")
        }
    }
}
