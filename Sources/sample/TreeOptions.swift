import ArgumentParser
import Foundation
import Preference
import Relevance
import StageKit

/// How a tree of sentences is steered: which are scored how, and which are kept.
struct TreeOptions: ParsableArguments {
    @Option(help: "Sentences drawn under each node that is kept.") var children = 5
    @Option(help: "Best nodes of a level that are kept.") var keepTop = 3
    @Option(help: "Further nodes that are kept, by --prune.") var keepBottom = 2
    @Option(help: "Where the further nodes come from: spread over the range of rewards, or its low end.")
    var prune = Pruning.Rule.spread
    @Option(help: "Most sentences of an answer.") var maxSentences = 12
    @Option(
        help: ArgumentHelp("CLIP that scores sentences; needed unless --lambda is 0.", valueName: "folder"))
    var relevance: String?
    @Option(help: "Weight of relevance in the reward that steers.") var lambda = 0.9
    @Option(help: "How likelihood and relevance are brought together.") var calibration = Calibration.Mode
        .zscore

    func validate() throws {
        if children < 1 { throw ValidationError("--children \(children): give a number from 1") }
        if maxSentences < 1 { throw ValidationError("--max-sentences \(maxSentences): give a number from 1") }
        do {
            _ = try Pruning(rule: prune, top: keepTop, bottom: keepBottom)
            _ = try Calibration(mode: calibration, lambda: lambda)
        } catch { throw ValidationError("\(error)") }
    }

    var width: Int { keepTop + keepBottom }

    func steering(_ run: StageRun) throws -> TreeSteering {
        if lambda > 0, relevance == nil {
            throw StageError.usage(
                "--mode tree: give --relevance DIR, or --lambda 0 to steer by likelihood alone")
        }
        if let relevance { try run.addModel(relevance, role: "relevance") }
        return TreeSteering(
            scorer: SentenceScorer(
                calibration: try Calibration(mode: calibration, lambda: lambda),
                relevance: try relevance.map { try RelevanceModel(directory: URL(fileURLWithPath: $0)) }),
            pruning: try Pruning(rule: prune, top: keepTop, bottom: keepBottom))
    }
}

extension Pruning.Rule: ExpressibleByArgument {}
extension Calibration.Mode: ExpressibleByArgument {}
