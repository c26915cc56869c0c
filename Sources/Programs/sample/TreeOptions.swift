import ArgumentParser
import Decoding
import Foundation
import Imaging
import ModelOptions
import Relevance
import Rewards
import StageKit

/// How a tree of sentences is drawn and steered: which are scored how, and which are kept.
struct TreeOptions: ParsableArguments {
    enum Drawing: String, ExpressibleByArgument, CaseIterable { case sampling, groupBeams = "group-beams" }
    enum EndToken: String, ExpressibleByArgument, CaseIterable { case ends, passes }
    enum Steer: String, ExpressibleByArgument, CaseIterable { case reward, likelihood, chance }

    /// All of them: they do nothing where answers are drawn whole.
    static let names: [String] =
        [
            "children", "draw", "diversity-penalty", "length-penalty", "end-token", "max-characters",
            "steer-by", "keep-top", "keep-bottom", "prune", "min-pool", "max-sentences", "relevance",
            "lambda",
            "calibration", "picture",
        ] + BaselineOptions.names

    @Option(help: "Sentences to draw under each kept node.") var children = 5
    @Option(
        help:
            "Draw sentences independently, or those under a node by diverse beam search with groups of one beam."
    )
    var draw = Drawing.sampling
    @Option(help: "For beams: penalty on a token for each earlier group that chose it at the same step.")
    var diversityPenalty = 3.0
    @Option(help: "For beams: exponent of the length that a sentence's log-probability is divided by.")
    var lengthPenalty = 1.0
    @Option(
        help: """
            What the end token does: end the answer (stop), or pass: drawing goes on to the full stop or \
            --max-tokens, and an answer is over when it has one.
            """)
    var endToken = EndToken.ends
    @Option(
        help: ArgumentHelp("End an answer when it and its prompt reach this many characters.", valueName: "n")
    )
    var maxCharacters: Int?
    @Option(
        help: """
            What decides which nodes are kept: the reward, their likelihood, or chance, \
            which keeps those drawn first and lets an answer end there.
            """)
    var steerBy = Steer.reward
    @Option(help: "Number of best nodes to keep per level.") var keepTop = 3
    @Option(help: "Number of further nodes to keep per level, chosen by --prune.") var keepBottom = 2
    @Option(help: "Where the further nodes come from: spread over the range of rewards, or its low end.")
    var prune = Pruning.Rule.spread
    @Option(help: "Keep all nodes of a level that has fewer unfinished ones than this.") var minPool = 0
    @Option(help: "Maximum sentences per answer.") var maxSentences = 12
    @Option(
        help: ArgumentHelp(
            "CLIP or SigLIP that scores sentences; needed with --steer-by reward unless --lambda is 0.",
            valueName: "folder"))
    var relevance: String?
    @OptionGroup var base: BaselineOptions
    @Option(help: "Weight of relevance in the steering reward.") var lambda = 0.9
    @Option(help: "How likelihood and relevance are put on one scale.") var calibration = Calibration.Mode
        .zscore
    @OptionGroup var looks: RewardPictureOptions

    func validate() throws {
        if children < 1 { throw ValidationError("--children \(children): give a number from 1") }
        if maxSentences < 1 { throw ValidationError("--max-sentences \(maxSentences): give a number from 1") }
        if !(diversityPenalty >= 0 && diversityPenalty.isFinite) {
            throw ValidationError("--diversity-penalty \(diversityPenalty): give 0 or more")
        }
        if !lengthPenalty.isFinite {
            throw ValidationError("--length-penalty \(lengthPenalty): give a power, 1 for the mean")
        }
        if let maxCharacters, maxCharacters < 1 {
            throw ValidationError("--max-characters \(maxCharacters): give a number from 1")
        }
        do {
            _ = try Pruning(rule: prune, top: keepTop, bottom: keepBottom)
            _ = try Calibration(mode: calibration, lambda: lambda)
        } catch { throw ValidationError("--\(error)") }
    }

    /// Most nodes that go on from a level.
    var width: Int { max(keepTop + keepBottom, minPool - 1) }

    func beams(pad: Int32?) -> DiverseBeams? {
        guard draw == .groupBeams else { return nil }
        return DiverseBeams(penalty: diversityPenalty, lengthPenalty: lengthPenalty, pad: pad)
    }

    /// What the reward that steers sees of records. Likelihood and chance look at no picture of their own.
    func view(of input: InputOptions, seed: UInt64, _ run: StageRun) throws -> RewardView {
        steerBy == .reward ? try looks.view(of: input, seed: seed, run) : .own
    }

    func steering(_ run: StageRun, _ images: ImageOptions, _ reading: PictureReading) throws -> TreeSteering {
        let rule: TreeSteering.Rule =
            switch steerBy {
            case .reward: .reward(try scorer(run, images, reading))
            case .likelihood: .likelihood
            case .chance: .chance
            }
        return TreeSteering(
            rule: rule, pruning: try Pruning(rule: prune, top: keepTop, bottom: keepBottom),
            minimumPool: minPool)
    }

    private func scorer(_ run: StageRun, _ images: ImageOptions, _ reading: PictureReading) throws
        -> SentenceScorer
    {
        if lambda > 0, relevance == nil {
            throw StageError.usage(
                "--mode tree: give --relevance DIR, or --steer-by likelihood to do without")
        }
        return SentenceScorer(
            calibration: try Calibration(mode: calibration, lambda: lambda),
            relevance: try relevance.map { try base.open($0, images, reading, run).model })
    }
}

extension Pruning.Rule: ExpressibleByArgument {}
extension Calibration.Mode: ExpressibleByArgument {}
