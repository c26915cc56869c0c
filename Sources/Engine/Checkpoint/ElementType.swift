import Kernels

/// How a tensor's numbers are stored, named as safetensors names them.
package enum ElementType: String, Sendable, Equatable, CaseIterable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    /// Integers occur in checkpoints as buffers (`position_ids`); they are carried, never read as weights.
    case i64 = "I64"
    case i32 = "I32"

    package var byteCount: Int {
        switch self {
        case .f32, .i32: 4
        case .f16, .bf16: 2
        case .i64: 8
        }
    }

    /// nil for what has four bytes or is an integer.
    package var half: HalfFloat? {
        switch self {
        case .f16: .f16
        case .bf16: .bf16
        case .f32, .i64, .i32: nil
        }
    }

    package var isFloat: Bool {
        switch self {
        case .f32, .f16, .bf16: true
        case .i64, .i32: false
        }
    }

    /// The name that config.json's `torch_dtype` (since transformers 5 `dtype`) uses.
    package var torchName: String {
        switch self {
        case .f32: "float32"
        case .f16: "float16"
        case .bf16: "bfloat16"
        case .i64: "int64"
        case .i32: "int32"
        }
    }

    package init?(torchName: String) {
        guard let match = Self.allCases.first(where: { $0.torchName == torchName }) else { return nil }
        self = match
    }
}

/// The number of elements of `shape`, or nil where a dimension is negative or the product overflows.
func elementCount(of shape: [Int]) -> Int? {
    var count = 1
    for dimension in shape {
        guard dimension >= 0 else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
        if overflow { return nil }
        count = product
    }
    return count
}
