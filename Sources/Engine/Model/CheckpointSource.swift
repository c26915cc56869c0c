import Checkpoint
import Foundation
import Kernels

/// Parameters read from a Hugging Face checkpoint, widened to f32.
package struct CheckpointSource: ParameterSource {
    let directory: CheckpointDirectory

    package init(_ directory: CheckpointDirectory) { self.directory = directory }

    package func has(_ name: String) -> Bool { directory.has(name) }

    package func parameter(_ name: String, _ shape: [Int], start: ParameterStart) throws -> Parameter {
        let view = try directory.tensor(named: name, shape: shape)
        let parameter = Parameter(name: name, shape: shape)
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
        let parameter = Parameter(name: name, shape: shape)
        let view = try graft.directory.tensor(named: other, shape: shape)
        try view.read(into: UnsafeMutableBufferPointer(start: parameter.value.base, count: parameter.count))
        return parameter
    }
}

extension [Parameter] {
    /// Writes all values as one safetensors file. The memory is read when its turn comes.
    ///
    /// - Parameter carrying: tensors that are copied bit for bit beside them.
    package func write(
        to url: URL, as type: ElementType, carrying: [TensorView] = [], metadata: [String: String] = [:]
    ) throws {
        try SafetensorsWriter.write(
            map { parameter in
                SafetensorsWriter.Tensor(
                    TensorNames.canonical(parameter.name), shape: parameter.shape, as: type,
                    values: { parameter.value.values })
            } + carrying.map { SafetensorsWriter.Tensor(copying: $0, as: TensorNames.canonical($0.name)) },
            to: url, metadata: metadata)
    }
}
