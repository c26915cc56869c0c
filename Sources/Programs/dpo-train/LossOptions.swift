import ArgumentParser
import Training

/// The loss of a pair.
struct LossOptions: ParsableArguments {
    @Option(help: "Loss: DPO's sigmoid, or another of its family.") var loss = PreferenceLoss.Kind
        .sigmoid
    @Option(help: "β of the loss: how far the policy may leave the reference.") var beta = 0.1
    @Option(help: "Share of preferences assumed to be wrong, for --loss robust and conservative.")
    var labelSmoothing = 0.0
    @Option(help: "Weight of the chosen answer's mean negative log-likelihood, added to the loss.")
    var likelihoodWeight = 0.0
    @Option(help: "Factor on the weights of a pair's marked spans: RLHF-V's γ for what was changed.")
    var gamma = 1.0
    @Flag(help: "Score an answer by the weighted mean over its tokens instead of the sum.")
    var normalize = false
    @Option(
        help:
            "Which tokens give a rejected answer its log-probabilities; SIMA's trainer uses top-alternative.")
    var rejectedLogp = AnswerTokens.label

    func validate() throws {
        if !(beta > 0) { throw ValidationError("--beta \(beta): give a number above 0") }
        if !(0..<0.5).contains(labelSmoothing) {
            throw ValidationError("--label-smoothing \(labelSmoothing): give a share below 0.5")
        }
        if labelSmoothing > 0, loss != .robust, loss != .conservative {
            throw ValidationError("--label-smoothing belongs to --loss robust and conservative")
        }
        if likelihoodWeight < 0 {
            throw ValidationError("--likelihood-weight \(likelihoodWeight): give 0 or more")
        }
        if !(gamma > 0 && gamma.isFinite) {
            throw ValidationError("--gamma \(gamma): give a number above 0")
        }
    }

    var preferenceLoss: PreferenceLoss {
        PreferenceLoss(
            loss, beta: beta, labelSmoothing: labelSmoothing, likelihoodWeight: likelihoodWeight,
            normalize: normalize, rejected: rejectedLogp)
    }

    /// Whether an unweighted answer's score is the sum of its own log-probabilities.
    var scoresAreSums: Bool { !normalize && rejectedLogp == .label }
}

extension PreferenceLoss.Kind: ExpressibleByArgument {}
extension AnswerTokens: ExpressibleByArgument {}
