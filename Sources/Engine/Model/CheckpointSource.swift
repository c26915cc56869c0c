import Checkpoint
import Foundation
import Kernels

/// Parameters of a Hugging Face checkpoint. Matrices are read where the mapped file has them, in its element type;
/// vectors, of which there is little, are widened to f32.
package struct CheckpointSource: ParameterSource {
    let directory: CheckpointDirectory
    private let compute: Compute?

    /// - Parameter compute: for all products; nil, and `.int8`, which a decoder becomes later, for bf16 with tensors of
    ///   two bytes and f32 with others.
    package init(_ directory: CheckpointDirectory, compute: Compute? = Compute.preferred) {
        (self.directory, self.compute) = (directory, compute == .int8 ? nil : compute)
    }

    package func has(_ name: String) -> Bool { directory.has(name) }

    package func parameter(_ name: String, _ shape: [Int], start: ParameterStart) throws -> Parameter {
        try parameter(name, shape, of: name)
    }

    /// - Parameter tensor: the checkpoint's name for it.
    func parameter(_ name: String, _ shape: [Int], of tensor: String) throws -> Parameter {
        let view = try directory.tensor(named: tensor, shape: shape)
        let compute = compute ?? (view.elementType.half == nil ? .f32 : .bf16)
        if shape.count >= 2, let stored = view.matrix {
            return Parameter(name: name, shape: shape, stored: stored, compute: compute)
        }
        let parameter = Parameter(name: name, shape: shape, compute: compute)
        try view.read(into: UnsafeMutableBufferPointer(start: parameter.value.base, count: parameter.count))
        return parameter
    }
}

/// Takes what another checkpoint has under a mapped name and starts the rest at random: a LLaVA whose tower
/// begins as a trained CLIP's.
package struct GraftedSource: ParameterSource {
    let base: any ParameterSource
    let graft: CheckpointSource
    /// The name in `graft` of a parameter, nil where it has none.
    let graftName: @Sendable (String) -> String?

    package init(
        base: any ParameterSource, graft: CheckpointSource, graftName: @escaping @Sendable (String) -> String?
    ) {
        (self.base, self.graft, self.graftName) = (base, graft, graftName)
    }

    package func has(_ name: String) -> Bool { base.has(name) }

    package func parameter(_ name: String, _ shape: [Int], start: ParameterStart) throws -> Parameter {
        guard let other = graftName(name) else { return try base.parameter(name, shape, start: start) }
        return try graft.parameter(name, shape, of: other)
    }
}

extension [Parameter] {
    /// Writes all values as one safetensors file. The memory is read when its turn comes.
    ///
    /// - Parameters:
    ///   - linears: layers whose adapters are written as a part of their weights.
    ///   - carrying: tensors that are copied bit for bit beside them, by their canonical names.
    ///   - naming: what is written for a canonical name.
    package func write(
        to url: URL, as type: ElementType, settled linears: [Linear] = [],
        carrying: [String: TensorView] = [:], naming: (_ canonical: String) -> String = { $0 },
        metadata: [String: String] = [:]
    ) throws {
        let whole = Dictionary(uniqueKeysWithValues: linears.map { (ObjectIdentifier($0.weight), $0) })
        try SafetensorsWriter.write(
            map { parameter in
                SafetensorsWriter.Tensor(
                    naming(TensorNames.canonical(parameter.name)), shape: parameter.shape, as: type,
                    values: { whole[ObjectIdentifier(parameter)]?.wholeWeights ?? parameter.values })
            } + carrying.map { SafetensorsWriter.Tensor(copying: $0.value, as: naming($0.key)) },
            to: url, metadata: metadata)
    }
}
