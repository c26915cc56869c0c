import Foundation

/// Diverse beam search with as many groups as beams (Vijayakumar et al. 2016, arXiv 1610.02424), as
/// transformers 4.37 has it in `group_beam_search`: each group is one greedy stream, and at every step the
/// groups draw in order, each pushed away from the tokens of those before it.
package struct DiverseBeams: Sendable, Equatable {
    /// Taken from a token's log-probability for each earlier group that reports it at the same step.
    package var penalty: Double
    /// A beam's score is its sum of penalised log-probabilities over its length to this power.
    package var lengthPenalty: Double
    /// What a closed group reports to the groups after it.
    package var pad: Int32?

    package init(penalty: Double = 3, lengthPenalty: Double = 1, pad: Int32? = nil) {
        (self.penalty, self.lengthPenalty, self.pad) = (penalty, lengthPenalty, pad)
    }

    /// What a group takes at one step.
    package struct Choice: Sendable, Equatable {
        package let token: Int32
        /// What earlier groups cost it.
        package let penalty: Double
        /// What the groups after it are pushed away from.
        package let reported: Int32

        package init(token: Int32, penalty: Double, reported: Int32) {
            (self.token, self.penalty, self.reported) = (token, penalty, reported)
        }
    }

    /// The likeliest token after the penalties. At the step that closes a group, transformers has it report not
    /// that token but the runner-up, with which it would have gone on.
    ///
    /// - Parameters:
    ///   - earlier: what the groups before report at this step.
    ///   - closers: tokens that close a group.
    package func choice(
        _ logits: UnsafeBufferPointer<Float>, after earlier: [Int32], closers: Set<Int32>
    ) -> Choice {
        var scores = Array(logits)
        for token in earlier where scores.indices.contains(Int(token)) {
            scores[Int(token)] -= Float(penalty)
        }
        let token = scores.withUnsafeBufferPointer(likeliest)
        var reported = token
        if closers.contains(token) {
            for closer in closers { scores[Int(closer)] = -.infinity }
            reported = scores.withUnsafeBufferPointer(likeliest)
        }
        return Choice(
            token: token, penalty: penalty * Double(earlier.count { $0 == token }), reported: reported)
    }

    /// - Parameter penalties: what all its choices cost a group.
    package func score(_ logProbabilities: [Float], penalties: Double) -> Double {
        let sum = logProbabilities.reduce(-penalties) { $0 + Double($1) }
        return sum / pow(Double(logProbabilities.count), lengthPenalty)
    }
}

/// Streams that draw together: one alone, or the groups of a diverse beam search in their order.
struct Family {
    let streams: [Stream]
    var beams: DiverseBeams?

    var open: [Stream] { streams.filter { $0.end == nil } }

    /// Draws the next token of every open stream.
    /// - Parameter logits: by the place of a stream among the open ones.
    func draw(_ logits: (Int) -> UnsafeBufferPointer<Float>) {
        guard let beams else {
            for (row, stream) in open.enumerated() { stream.accept(logits(row)) }
            return
        }
        var row = 0
        var reported: [Int32] = []
        for stream in streams {
            if stream.end != nil {
                if let pad = beams.pad { reported.append(pad) }
                continue
            }
            let choice = beams.choice(logits(row), after: reported, closers: stream.rule.closers)
            stream.accept(choice.token, logits(row), penalty: choice.penalty)
            reported.append(choice.reported)
            row += 1
        }
    }
}
