import ArgumentParser
import Foundation
import Imaging
import JSON
import Records
import Relevance
import StageKit

/// Options of programs that score sentences by a relevance model: how its base rate is taken off.
package struct BaselineOptions: ParsableArguments {
    /// All of them: they do nothing without a relevance model.
    package static let names = ["relevance-baseline"] + details
    private static let details = ["baseline-root", "baseline-nearest"]

    @Option(
        help: ArgumentHelp(
            """
            Subtract from a sentence's relevance its mean over the pictures of these records, the record's own left out.
            """, valueName: "file")
    )
    package var relevanceBaseline: String?
    @Option(
        help: ArgumentHelp(
            "Folder that the image paths of --relevance-baseline are relative to; they must stay inside it.",
            valueName: "folder"
        ))
    package var baselineRoot = "."
    @Option(
        help: ArgumentHelp(
            "Average over this many baseline pictures, the most similar to the record's; 0 for all.",
            valueName: "n"))
    package var baselineNearest = 0

    package init() {}

    package func validate() throws {
        if baselineNearest < 0 {
            throw ValidationError("--baseline-nearest \(baselineNearest): give a number from 0")
        }
    }

    package func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(
            Self.details, where: relevanceBaseline == nil, belongingTo: "--relevance-baseline")
    }

    /// Opens the relevance model in `folder` for `run`, which notes it and the baseline as inputs.
    ///
    /// - Parameters:
    ///   - images: how pictures are found, those of the baseline too.
    ///   - reading: how their pixels are read.
    /// - Throws: `StageError` for a baseline of less than two pictures, and with the place of one that can't be read.
    package func open(
        _ folder: String, _ images: ImageOptions, _ reading: PictureReading, _ run: StageRun
    ) throws -> OpenRelevance {
        let model = try RelevanceModel(
            directory: URL(fileURLWithPath: folder), reading: reading)
        try run.addModel(folder, role: "relevance")
        guard let path = relevanceBaseline else { return OpenRelevance(model: model, baseline: nil) }
        let pool = try run.pool(path, role: "baseline") { input in
            let image = try input.record.requiredPicture()
            let file = try images.resolve(image, in: baselineRoot, option: "--baseline-root")
            return PictureFile(file, id: input.record.rowName)
        }
        let count = Set(pool.items.map(\.path)).count
        guard count > 1 else {
            throw StageError.failed(
                "--relevance-baseline \(path): \(count) different pictures; give two or more")
        }
        // A picture of the pool has one less: itself.
        if count <= baselineNearest {
            run.console.warn(
                "--relevance-baseline \(path): with \(count) different pictures, the mean is over all others, not "
                    + "over --baseline-nearest \(baselineNearest)")
        }
        do { try model.setBaseline(pool.items, nearest: baselineNearest) } catch {
            throw StageError.failed("--relevance-baseline \(path): \(error)")
        }
        return OpenRelevance(model: model, baseline: (pool.digest, baselineNearest))
    }
}

/// A relevance model, and what base rate is taken off its cosines.
package struct OpenRelevance {
    package let model: RelevanceModel
    /// Digest of the pool's file, and how many of its pictures count; nil where the cosines are taken as they are.
    package let baseline: (pool: String, nearest: Int)?

    /// Says in `calibration` whose relevance it is.
    package func note(in calibration: inout JSONObject) {
        calibration.set("relevance", .string(model.digest))
        calibration.set(
            "baseline",
            baseline.map { baseline in
                var object = JSONObject()
                object.set("pool", .string(baseline.pool))
                object.set("nearest", .int(baseline.nearest))
                return .object(object)
            })
    }
}
