import Imaging
import Kernels
import Model

/// How a batch is cut into forward passes, whose gradients add up.
package enum Passes: Sendable {
    /// Consecutive groups that have at most so many rows together, at least one group.
    case rows(Int)
    /// So many of about equal size.
    case count(Int)

    func ranges(_ groups: [some AnswerGroup]) -> [Range<Int>] {
        switch self {
        case .count(let passes):
            return (0..<passes)
                .map { groups.count * $0 / passes..<groups.count * ($0 + 1) / passes }
                .filter { !$0.isEmpty }
        case .rows(let limit):
            var ranges: [Range<Int>] = []
            var (first, rows) = (0, 0)
            for (index, group) in groups.enumerated() {
                let count = group.answers.reduce(group.prompt.count) { $0 + $1.count }
                if index > first, rows + count > limit {
                    ranges.append(first..<index)
                    (first, rows) = (index, 0)
                }
                rows += count
            }
            return first < groups.count ? ranges + [first..<groups.count] : ranges
        }
    }
}

/// Takes groups of answers through a model, as one forest a pass, and the slopes of a loss back into whatever of
/// it is trained: adapter, decoder, head, projector, tower.
package final class GroupTrainer<Loss: Objective> {
    package let loss: Loss
    private let decoder: Llama
    private let encoder: VisionLanguageModel?
    private let head: RewardHead?
    private let passes: Passes
    private let recomputes: Bool
    private let arena = Arena()

    /// - Parameters:
    ///   - encoder: of groups that bring pixels.
    ///   - head: makes the score at an answer's last token what is read of it.
    ///   - recomputes: layers in the backward pass instead of keeping them: the same results in less memory.
    package init(
        _ decoder: Llama, _ loss: Loss, encoder: VisionLanguageModel? = nil, head: RewardHead? = nil,
        passes: Passes = .rows(8192), recomputes: Bool = false
    ) {
        self.decoder = decoder
        self.loss = loss
        self.encoder = encoder
        self.head = head
        self.passes = passes
        self.recomputes = recomputes
    }

    /// What the model says of every group.
    package func read(_ groups: [Loss.Group]) -> [Reading] {
        passes.ranges(groups).flatMap { forward(groups[$0], keeps: false).read }
    }

    /// The same of the model with its adapter off.
    package func readReference(_ groups: [Loss.Group]) -> [Reading] {
        decoder.useAdapter(false)
        defer { decoder.useAdapter(true) }
        return read(groups)
    }

    /// Adds the gradient of the batch's loss.
    package func addGradients(_ batch: [Loss.Group]) -> Metrics {
        let ranges = passes.ranges(batch)
        let isReadBefore = loss.isOverBatch && ranges.count > 1
        var read = isReadBefore ? self.read(batch) : []
        for range in ranges {
            let pass = forward(batch[range], keeps: !recomputes)
            if !isReadBefore { read += pass.read }
            backward(pass, loss.slopes(of: range, in: batch, read))
        }
        return loss.metrics(batch, read)
    }

    /// The same metrics without gradients.
    package func evaluate(_ groups: [Loss.Group]) -> Metrics { loss.metrics(groups, read(groups)) }

    // MARK: - A pass

    /// What the values of a pass are read from, one after the other.
    private enum Places {
        case labels([Label])
        case rows([Int])
    }

    private struct Pass {
        let images: PictureTape?
        let tape: Llama.Tape
        let places: Places
        let read: [Reading]
    }

    /// - Parameter keeps: what `backward` wants, which else is computed again.
    private func forward(_ groups: ArraySlice<Loss.Group>, keeps: Bool) -> Pass {
        arena.reset()
        let images = encode(groups.compactMap(\.pixels))
        let (forest, pictures, answers) = forest(groups, images)
        let features = images?.features ?? pictures.matrix(arena)
        let own = head == nil ? answers.map { forest.labels(of: $0.span).suffix($0.learned) } : []
        let rows =
            head == nil
            ? own.joined().map(\.row) : answers.map { forest.spans[$0.span].rows.upperBound - 1 }
        let tape = decoder.forward(
            forest, features: features, recomputes: !keeps, of: decoder.worthNaming(rows), arena)
        let places: Places
        var values: ArraySlice<Double>
        let counts: [Int]
        if let head {
            let rows = tape.places(of: rows)
            places = .rows(rows)
            values = rows.map { head.score(tape.hidden, row: $0) }[...]
            counts = rows.map { _ in 1 }
        } else {
            let labels = chosen(
                tape.labels(Array(own.joined())), own.map(\.count), answers.map(\.number), tape.hidden)
            places = .labels(labels)
            values = decoder.logProbabilities(tape.hidden, labels, arena).map { Double($0) }[...]
            counts = own.map(\.count)
        }
        var left = counts[...]
        let read = groups.map { group in
            group.answers.map { _ in
                let count = left.removeFirst()
                defer { values = values.dropFirst(count) }
                return Array(values.prefix(count))
            }
        }
        return Pass(images: images, tape: tape, places: places, read: read)
    }

    private func encode(_ pixels: [TowerInput]) -> PictureTape? {
        guard !pixels.isEmpty else { return nil }
        guard let encoder else { preconditionFailure("pixels, and nothing that encodes them") }
        return encoder.encode(pixels, arena)
    }

    private struct Answer {
        let span: Int
        /// Its place in its group.
        let number: Int
        /// Tokens at its end that aren't given.
        let learned: Int
    }

    private func forest(
        _ groups: ArraySlice<Loss.Group>, _ images: PictureTape?
    ) -> (TokenForest, PictureRows, [Answer]) {
        var forest = TokenForest()
        var pictures = PictureRows()
        var encoded = images?.rows.enumerated().map { ($1, images?.grids?[$0]) }[...] ?? []
        var answers: [Answer] = []
        for group in groups {
            let root: Int
            if group.pixels == nil {
                root = forest.add(pictures.add(group.picture, group.prompt), grid: group.picture?.grid)
            } else {
                let (rows, grid) = encoded.removeFirst()
                let first = Int32(rows.lowerBound)
                root = forest.add(group.prompt.map { $0 < 0 ? $0 - first : $0 }, grid: grid)
            }
            for (number, tokens) in group.answers.enumerated() {
                answers.append(
                    Answer(
                        span: forest.add(tokens, parent: root), number: number,
                        learned: tokens.count - group.given(number)))
            }
        }
        return (forest, pictures, answers)
    }

    /// The answers' labels, those whose tokens aren't asked for exchanged for the likeliest others.
    ///
    /// - Parameters:
    ///   - labels: of all answers in a row, so many of each as `counts` says.
    ///   - numbers: the answers' places in their groups.
    private func chosen(_ own: [Label], _ counts: [Int], _ numbers: [Int], _ hidden: Matrix) -> [Label] {
        var labels = own
        var exchanged: [Int] = []
        var first = 0
        for (count, number) in zip(counts, numbers) {
            if loss.tokens(ofAnswer: number) == .topAlternative { exchanged += first..<first + count }
            first += count
        }
        guard !exchanged.isEmpty else { return labels }
        let alternatives = decoder.alternatives(hidden, exchanged.map { labels[$0] }, arena)
        for (index, label) in zip(exchanged, alternatives) { labels[index] = label }
        return labels
    }

    private func backward(_ pass: Pass, _ slopes: [Reading]) {
        let slopes = slopes.flatMap { $0.flatMap { $0 } }
        let dHidden: Matrix
        switch pass.places {
        case .labels(let labels):
            dHidden = decoder.logProbabilitiesBackward(
                pass.tape.hidden, labels, weights: slopes.map { Float($0) }, arena)
        case .rows(let rows):
            dHidden = arena.zeros(pass.tape.hidden.rows, pass.tape.hidden.columns)
            for (row, slope) in zip(rows, slopes) {
                head?.backward(pass.tape.hidden, row: row, slope: slope, dHidden: dHidden)
            }
        }
        let dFeatures = pass.images.map { arena.zeros($0.features.rows, $0.features.columns) }
        decoder.backward(pass.tape, dHidden: dHidden, dFeatures: dFeatures, arena)
        if let images = pass.images, let dFeatures {
            encoder?.encodeBackward(images, dFeatures: dFeatures, arena)
        }
    }
}
