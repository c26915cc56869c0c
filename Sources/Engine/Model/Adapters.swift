import Checkpoint
import Foundation
import Kernels
import Random

/// LoRA on a decoder: which projections, at what rank, and to and from PEFT's files.
extension VisionLanguageModel {
    /// The element type of the checkpoint's matrices.
    package var storedType: ElementType {
        switch decoder.head.weight.stored.half {
        case nil: .f32
        case .f16: .f16
        case .bf16: .bf16
        }
    }
}

extension Llama {
    /// The seven projections of every layer, the targets of CSR, SIMA and LLaVA's LoRA recipes; never the
    /// head, and nothing outside the decoder.
    package var adapterTargets: [Linear] { layers.flatMap(\.projections) }

    /// A fresh adapter on every target: A drawn as PEFT does (uniform ±1/√in, `kaiming_uniform_(√5)`), B zero,
    /// so that the model starts as its own reference.
    /// - Parameter scale: α/r
    package func attachAdapter(rank: Int, scale: Float, seed: UInt64) {
        for target in adapterTargets {
            let a = Parameter(
                name: target.name + ".lora_A.weight", shape: [rank, target.inputs],
                compute: target.weight.compute)
            let b = Parameter(
                name: target.name + ".lora_B.weight", shape: [target.outputs, rank],
                compute: target.weight.compute)
            var generator = SplitMix64(seed: seed, key: a.name)
            let bound = 1 / Double(target.inputs).squareRoot()
            for i in 0..<a.count { a.value.base[i] = Float((2 * generator.nextUniform() - 1) * bound) }
            target.attach(LoRA(a: a, b: b, scale: scale))
        }
    }

    package var adapterParameters: [Parameter] {
        adapterTargets.compactMap(\.adapter).flatMap { [$0.a, $0.b] }
    }

    /// Switches the attached adapter on or off; off is the reference model.
    package func useAdapter(_ active: Bool) { adapterTargets.forEach { $0.adapter?.isActive = active } }

    /// Attaches what PEFT wrote. Modules are matched by their full names.
    /// - Throws: `CheckpointError` for a module that is no linear layer of this decoder or has another size, and for an
    ///   adapter without tensors for some that its config names.
    package func attach(_ adapter: PEFTAdapter, from place: String) throws {
        let targets = Dictionary(uniqueKeysWithValues: adapterTargets.map { ($0.name, $0) })
        try checkThatAllIsDecoder(adapter, targets, place)
        for module in adapter.modules {
            guard let target = targets[module.name] else { continue }
            guard module.inputWidth == target.inputs, module.outputWidth == target.outputs else {
                throw CheckpointError(
                    "\(place): module \(module.name)",
                    "it is \(module.outputWidth)×\(module.inputWidth) and the model's layer "
                        + "\(target.outputs)×\(target.inputs)",
                    "use an adapter made for this model")
            }
            let a = Parameter(
                name: target.name + ".lora_A.weight", shape: [adapter.rank, target.inputs],
                compute: target.weight.compute)
            let b = Parameter(
                name: target.name + ".lora_B.weight", shape: [target.outputs, adapter.rank],
                compute: target.weight.compute)
            for (parameter, values) in [(a, module.a), (b, module.b)] {
                for (i, value) in values.enumerated() { parameter.value.base[i] = value }
            }
            target.attach(LoRA(a: a, b: b, scale: adapter.scale))
        }
        try adapter.checkThatItCovers(adapterTargets.map(\.name), place: place)
    }

    private func checkThatAllIsDecoder(
        _ adapter: PEFTAdapter, _ targets: [String: Linear], _ place: String
    ) throws {
        let foreign = adapter.modules.map(\.name).filter { targets[$0] == nil }
        guard let first = foreign.first else { return }
        let places: KeyValuePairs = [
            "vision_tower.": "the vision tower", "vision_model.": "the vision tower",
            "visual.": "the vision tower",
            "multi_modal_projector.": "the projector", "mm_projector.": "the projector",
            "connector.": "the projector", "lm_head": "the head", "embed_tokens": "the embedding",
        ]
        let parts = places.reduce(into: [String]()) { parts, place in
            let isMet = foreign.contains { $0.contains(place.key) }
            if isMet, !parts.contains(place.value) { parts.append(place.value) }
        }
        guard !parts.isEmpty else {
            throw CheckpointError(
                place, "it adapts \(first), which is none of the decoder's projections",
                "use an adapter made for this model")
        }
        throw CheckpointError(
            place,
            "it adapts \(parts.joined(separator: " and ")) too (\(foreign.count) layers, "
                + "\(first) the first), and only the decoder's projections are folded here",
            "fold it by PEFT's merge_and_unload and take that model, or train one whose target_modules "
                + "are the decoder's")
    }

    /// Makes the attached adapter a part of the model and takes it off: the next round's reference.
    package func settleAdapter() {
        for target in adapterTargets {
            guard let adapter = target.adapter else { continue }
            target.settle(adapter)
            target.attach(nil)
        }
    }

    /// The attached adapter in PEFT's form, its alpha made from scale and rank.
    package func adapter(baseModelName: String?, baseDigest: String?) -> PEFTAdapter? {
        let attached = adapterTargets.compactMap { target in target.adapter.map { (target, $0) } }
        guard let (_, first) = attached.first else { return nil }
        let rank = first.rank
        return PEFTAdapter(
            rank: rank, alpha: Double(first.scale * Float(rank)), baseModelName: baseModelName,
            baseDigest: baseDigest,
            modules: attached.map { target, adapter in
                PEFTAdapter.Module(
                    name: target.name, inputWidth: target.inputs, outputWidth: target.outputs,
                    a: adapter.a.value.values, b: adapter.b.value.values)
            })
    }
}
