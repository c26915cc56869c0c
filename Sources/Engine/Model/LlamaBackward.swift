import Kernels

// MARK: - Log-probabilities of labels and their gradient

extension Llama {
    /// log p(target) for every label, from final hidden states. Logits are made a chunk of rows at a time and
    /// never for the whole sequence: `[T × V]` in f32 would be the largest matrix of a step.
    package func logProbabilities(_ hidden: Matrix, _ labels: [Label], _ arena: Arena) -> [Float] {
        var result = [Float](repeating: 0, count: labels.count)
        result.withUnsafeMutableBufferPointer { result in
            nonisolated(unsafe) let out = result.baseAddress
            forEachChunk(hidden, labels, arena) { first, rows, logits in
                Parallel.ranges(rows.rows, grain: 16) { range in
                    for r in range {
                        out![first + r] = logProbability(
                            logits.row(r), logits.columns, of: Int(labels[first + r].target))
                    }
                }
            }
        }
        return result
    }

    /// Each label with the likeliest token in its row that it doesn't name.
    package func alternatives(_ hidden: Matrix, _ labels: [Label], _ arena: Arena) -> [Label] {
        var result = labels
        forEachChunk(hidden, labels, arena) { first, rows, logits in
            for r in 0..<rows.rows {
                let label = labels[first + r]
                logits[r, Int(label.target)] = -.infinity
                let row = UnsafeBufferPointer(start: logits.row(r), count: logits.columns)
                let best = row.indices.max { row[$0] < row[$1] } ?? 0
                result[first + r] = Label(row: label.row, target: Int32(best))
            }
        }
        return result
    }

    /// The same of a forest that is read once and not gone back through, so that nothing but the layers' inputs is kept.
    ///
    /// - Parameter picture: of the forest's tokens.
    package func logProbabilities(
        of labels: [Label], in forest: TokenForest, picture: Picture?, _ arena: Arena
    ) -> [Float] {
        let tape = forward(
            forest, features: picture?.matrix(arena), recomputes: true, of: worthNaming(labels.map(\.row)),
            arena)
        return logProbabilities(tape.hidden, tape.labels(labels), arena)
    }

    /// dHidden `[T × C]` of Σ weights[i] · log p(label i); the head's gradient is added where it is trained.
    package func logProbabilitiesBackward(
        _ hidden: Matrix, _ labels: [Label], weights: [Float], _ arena: Arena
    ) -> Matrix {
        let dHidden = arena.zeros(hidden.rows, hidden.columns)
        forEachChunk(hidden, labels, arena) { first, rows, logits in
            Parallel.ranges(rows.rows, grain: 16) { range in
                for r in range {
                    logProbabilityBackward(
                        logits.row(r), logits.columns, of: Int(labels[first + r].target),
                        weight: weights[first + r])
                }
            }
            let dRows = arena.matrix(rows.rows, rows.columns)
            head.backward(rows, low: nil, dy: logits, dx: dRows, accumulate: false, arena)
            scatterRows(dRows, to: labels[first..<first + rows.rows].map(\.row), of: dHidden)
        }
        return dHidden
    }

    private func forEachChunk(
        _ hidden: Matrix, _ labels: [Label], _ arena: Arena, _ body: (Int, Matrix, Matrix) -> Void
    ) {
        // About 16 MB of logits, in rows that do not depend on the vocabulary below 16 k words.
        let chunk = max(32, min(1024, 4_194_304 / head.outputs))
        for first in stride(from: 0, to: labels.count, by: chunk) {
            let mark = arena.mark
            let rows = arena.matrix(min(chunk, labels.count - first), hidden.columns)
            gatherRows(labels[first..<first + rows.rows].map(\.row), of: hidden, into: rows)
            body(first, rows, head.forward(rows, arena).y)
            arena.release(to: mark)
        }
    }
}

// MARK: - The layers

extension Llama {
    /// From the gradient of the final hidden states down to the embeddings; adds to the gradients of every
    /// parameter that is trained. `dFeatures` `[features × C]` receives the image features' share.
    package func backward(_ tape: Tape, dHidden: Matrix, dFeatures: Matrix?, _ arena: Arena) {
        let dLast = arena.zeros(dHidden.rows, dHidden.columns)
        rmsNormBackward(
            tape.last, norm.value, inverse: tape.inverse, dy: dHidden, dx: dLast, dw: norm.gradient)
        let dx = tape.wanted == nil ? dLast : arena.zeros(tape.tokens.count, dLast.columns)
        let isBelowTrained = embedding.isTrained || dFeatures != nil || layers[0].inputNorm.isTrained
        for (index, layer) in layers.enumerated().reversed() {
            let isLast = index == layers.count - 1
            let only = isLast ? tape.wanted : nil
            let mark = arena.mark
            backward(
                layer, self.tape(layer, tape.layers[index], tape, only, arena), tape, only,
                dy: isLast ? dLast : dx, dx: index > 0 || isBelowTrained ? dx : nil, arena)
            arena.release(to: mark)
        }
        if let gradient = embedding.gradient {
            scatterRows(dx, to: tape.tokens.map { $0 >= 0 ? Int($0) : nil }, of: gradient)
        }
        if let dFeatures {
            scatterRows(dx, to: tape.tokens.map { $0 < 0 ? -1 - Int($0) : nil }, of: dFeatures)
        }
    }

    private func tape(
        _ layer: DecoderLayer, _ saved: Saved, _ tape: Tape, _ only: Rows?, _ arena: Arena
    ) -> LayerTape {
        switch saved {
        case .tape(let kept): kept
        case .input(let x):
            run(layer, x, positions: tape.positions, tape.segments, cache: nil, only: only, arena).0
        }
    }

    /// - Parameters:
    ///   - only: the rows that the layer gave, of which `dy` is the gradient; all without it.
    ///   - dy: is used up.
    ///   - dx: becomes the gradient of the layer's input, if that is wanted: `dy` itself, or zeros where the layer gave only
    ///     some rows.
    private func backward(
        _ layer: DecoderLayer, _ saved: LayerTape, _ tape: Tape, _ only: Rows?, dy: Matrix, dx: Matrix?,
        _ arena: Arena
    ) {
        let (rows, width) = (dy.rows, dy.columns)
        let dInner = arena.matrix(rows, saved.inner.columns)
        layer.down.backward(saved.inner, low: saved.lowDown, dy: dy, dx: dInner, accumulate: false, arena)
        let dRead = layer.inner.gradients(rows, arena)
        siluMultiplyBackward(saved.gate, saved.up, dy: dInner, dgate: dRead[0], dup: dRead[1])
        let dh2 = arena.matrix(rows, width)
        layer.inner.backward(saved.h2, low: saved.lowInner, dy: dRead, dx: dh2, arena)
        // The residual path carries dy on; the branch's share is added to it.
        rmsNormBackward(
            saved.middle, layer.postNorm.value, inverse: saved.inverse2, dy: dh2, dx: dy,
            dw: layer.postNorm.gradient)

        let dContext = arena.matrix(rows, saved.context.columns)
        layer.o.backward(saved.context, low: saved.lowOut, dy: dy, dx: dContext, accumulate: false, arena)
        let dSeen = layer.attention.gradients(saved.h1.rows, zeros: true, firstOf: only?.indices, arena)
        attentionBackward(
            saved.q, saved.k, saved.v, only?.segments ?? tape.segments, shape, out: saved.context,
            logSumExp: saved.logSumExp, dOut: dContext, dq: dSeen[0], dk: dSeen[1], dv: dSeen[2])
        rotary.rotateBackward(dSeen[0], positions: only?.positions ?? tape.positions)
        rotary.rotateBackward(dSeen[1], positions: tape.positions)
        let dh1 = dx.map { arena.matrix($0.rows, width) }
        layer.attention.backward(
            saved.h1, firstOf: only?.indices, low: saved.lowAttention, dy: dSeen, dx: dh1, arena)
        guard let dx, let dh1 else { return }
        if let only { scatterRows(dy, to: only.indices, of: dx) }
        rmsNormBackward(
            saved.x, layer.inputNorm.value, inverse: saved.inverse1, dy: dh1, dx: dx,
            dw: layer.inputNorm.gradient)
    }
}
