import Kernels

/// Bytes that a decoder takes, known from its configuration and the headers of its checkpoint, before a weight is read.
package struct Footprint: Sendable {
    /// What a pass for training keeps of a token over all layers.
    package let kept: Int
    /// The same where layers are recomputed in the backward pass: their inputs.
    package let inputs: Int
    /// What one layer makes of a token going forward.
    package let layer: Int
    /// What one layer needs besides for a token going back.
    package let backward: Int
    /// Logits of the rows that are read at a time, and what stands beside the layers.
    package let head: Int

    /// Of activations while answers are drawn, about: passes are cut so.
    package static let decodingBytes = 256 << 20

    /// - Parameter rank: of an adapter on every target.
    package init(_ decoder: Llama, rank: Int = 0) {
        let config = decoder.config
        let (width, inner) = (config.hiddenSize, config.intermediateSize)
        let queries = config.headCount * config.headDim
        let keys = 2 * config.keyValueHeadCount * config.headDim
        let rank = rank * (decoder.layers.first?.projections.count ?? 0)
        // x, h1, middle, h2, the layer's output; q, context; k, v; gate, up, inner; sums and LoRA's share.
        let layer = 5 * width + 2 * queries + keys + 3 * inner + config.headCount + 2 + rank
        let backward = 2 * width + 2 * queries + keys + 3 * inner + rank
        kept = 4 * layer * config.layerCount
        inputs = 4 * width * config.layerCount
        self.layer = 4 * layer
        self.backward = 4 * backward
        head = 32 << 20
    }

    /// Of a pass over `tokens` for training.
    package func training(tokens: Int, recomputes: Bool) -> Int {
        let layers = recomputes ? inputs + layer : kept
        // Beside the layers: the last norm's input and output, and the gradients of both.
        return tokens * (layers + backward) + head
    }
}

extension Llama {
    /// Of an adapter on every target while it is trained: values, gradients, two moments, and what products read.
    package func adapterBytes(rank: Int) -> Int {
        adapterTargets.reduce(0) { bytes, target in
            // Gradients and two moments.
            bytes + 12 * rank * (target.inputs + target.outputs) + target.bytes(ofAdapter: rank)
        }
    }
}

extension VisionLanguageFamily {
    /// Of tower, projector and decoder, laid out for products.
    package var weightBytes: Int { linears.reduce(0) { $0 + $1.bytes } }
}

extension Linear {
    /// Of its weights, laid out for products, and of the adapters beside them.
    var bytes: Int {
        GEMM.Packed.bytes(
            rows: outputs, columns: inputs, half: weight.stored.half != nil, compute: compute)
            + settledRanks.reduce(0) { $0 + bytes(ofAdapter: $1) }
    }

    /// Of an adapter's values, and laid out for products.
    func bytes(ofAdapter rank: Int) -> Int {
        let compute = weight.compute
        return 4 * rank * (inputs + outputs)
            + GEMM.Packed.bytes(rows: rank, columns: inputs, half: false, compute: compute)
            + GEMM.Packed.bytes(rows: outputs, columns: rank, half: false, compute: compute)
    }
}
