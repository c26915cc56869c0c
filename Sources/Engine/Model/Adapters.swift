import Checkpoint
import Foundation
import Kernels
import Random

/// What LoRA can be on.
package protocol Adaptable {
    var adapterTargets: [Linear] { get }
}

extension Adaptable {
    /// Switches the attached adapter on or off; off is the reference model.
    package func useAdapter(_ active: Bool) { adapterTargets.forEach { $0.adapter?.isActive = active } }

    /// Makes the attached adapter a part of the model and takes it off: the next round's reference.
    package func settleAdapter() {
        for target in adapterTargets {
            guard let adapter = target.adapter else { continue }
            target.settle(adapter)
            target.attach(nil)
        }
    }
}

extension VisionLanguageFamily {
    /// The layers that LoRA is read on, those that `all-linear` of PEFT means: without the head and, since they are
    /// convolutions, without patch embeddings.
    package var adapterTargets: [Linear] {
        linears.filter { $0 !== decoder.head && $0.weight.shape.count == 2 }
    }

    /// Attaches what PEFT wrote, on tower and projector too, which LoRA doesn't train here.
    ///
    /// - Throws: `CheckpointError` for a module that is none of these layers or has another size, and for an adapter
    ///   without tensors for some that its config names.
    package func attach(_ adapter: PEFTAdapter, from place: String) throws {
        // One of the decoder alone may name its layers as the tower's are called, too.
        guard changesPictures(adapter) else { return try decoder.attach(adapter, from: place) }
        try adapter.attach(to: adapterTargets, named: "layers of tower, projector and decoder", place)
    }

    /// Whether an adapter is on more than the decoder's projections.
    func changesPictures(_ adapter: PEFTAdapter) -> Bool {
        let names = Set(decoder.adapterTargets.map(\.name))
        return !adapter.modules.allSatisfy { names.contains($0.name) }
    }
}

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

/// LoRA on a decoder: which projections, at what rank, and to and from PEFT's files.
extension Llama: Adaptable {
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

    /// Attaches what PEFT wrote. Modules are matched by their full names.
    ///
    /// - Throws: `CheckpointError` for a module that is no linear layer of this decoder or has another size, and for an
    ///   adapter without tensors for some that its config names.
    package func attach(_ adapter: PEFTAdapter, from place: String) throws {
        try adapter.attach(to: adapterTargets, named: "the decoder's projections", place)
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

extension PEFTAdapter {
    /// - Parameter kind: what `targets` are, in words.
    fileprivate func attach(to targets: [Linear], named kind: String, _ place: String) throws {
        let known = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, $0) })
        try checkThatAllIsKnown(known, kind, place)
        for module in modules {
            guard let target = known[module.name] else { continue }
            guard module.inputWidth == target.inputs, module.outputWidth == target.outputs else {
                throw CheckpointError(
                    "\(place): module \(module.name)",
                    "it is \(module.outputWidth)×\(module.inputWidth) and the model's layer "
                        + "\(target.outputs)×\(target.inputs)",
                    "use an adapter made for this model")
            }
            let a = Parameter(
                name: target.name + ".lora_A.weight", shape: [rank, target.inputs],
                compute: target.weight.compute)
            let b = Parameter(
                name: target.name + ".lora_B.weight", shape: [target.outputs, rank],
                compute: target.weight.compute)
            for (parameter, values) in [(a, module.a), (b, module.b)] {
                for (i, value) in values.enumerated() { parameter.value.base[i] = value }
            }
            target.attach(LoRA(a: a, b: b, scale: scale))
        }
        try checkThatItCovers(targets.map(\.name), place: place)
    }

    private func checkThatAllIsKnown(_ known: [String: Linear], _ kind: String, _ place: String) throws {
        // A tower's pooling head takes no part in a model that reads patches, so that nothing trains LoRA on it.
        let foreign = modules.filter {
            known[$0.name] == nil && !($0.name.contains(".vision_model.head.") && $0.changesNothing)
        }.map(\.name)
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
                place, "it adapts \(first), which is none of \(kind)", "use an adapter made for this model")
        }
        throw CheckpointError(
            place,
            "it adapts \(parts.joined(separator: " and ")) too (\(foreign.count) layers, "
                + "\(first) the first), and here LoRA can be on \(kind) only",
            "fold it by PEFT's merge_and_unload and take that model, or train one whose target_modules are "
                + kind)
    }
}
