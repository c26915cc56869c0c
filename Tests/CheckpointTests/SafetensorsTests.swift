import Checkpoint
import Files
import Foundation
import Testing

@Suite struct SafetensorsTests {
    private let values: [Float] = [
        0, -0.0, 1, -2.5, 65504, 1e-7, .infinity, -.infinity, 0.1, 3.14159, 0x1.23p-130, 1e38,
    ]

    @Test(arguments: [ElementType.f32, .f16, .bf16])
    func valuesSurviveTheRoundTrip(type: ElementType) throws {
        let scratch = try ScratchDirectory()
        let url = scratch.file("a.safetensors")
        try SafetensorsWriter.write([.init("w", shape: [3, 4], as: type, values: values)], to: url)
        let view = try SafetensorsFile(url).tensor(named: "w")
        #expect(view.shape == [3, 4] && view.elementType == type && view.isAligned)
        let read = try view.floats()
        let expected: [Float] =
            switch type {
            case .f16:
                [0, -0.0, 1, -2.5, 65504, 0x1p-23, .infinity, -.infinity, 0x1.998p-4, 3.140625, 0, .infinity]
            case .bf16: values.map { Float(bitPattern: roundedToBF16($0)) }
            default: values
            }
        #expect(read.map(\.bitPattern) == expected.map(\.bitPattern))
        // A second pass may not move anything any more.
        let again = scratch.file("b.safetensors")
        try SafetensorsWriter.write([.init("w", shape: [3, 4], as: type, values: read)], to: again)
        #expect(try Data(contentsOf: url) == Data(contentsOf: again))
    }

    /// None of `values` is a tie, so half a place up and cut is the nearest.
    private func roundedToBF16(_ value: Float) -> UInt32 {
        value.isInfinite ? value.bitPattern : (value.bitPattern + 0x8000) & 0xffff_0000
    }

    @Test func f32KeepsEveryBitPattern() throws {
        let scratch = try ScratchDirectory()
        let url = scratch.file("a.safetensors")
        let patterns: [UInt32] = [1, 0x007f_ffff, 0x7f80_0001, 0x7fc1_2345, 0xffff_ffff, 0x8000_0000]
        try SafetensorsWriter.write(
            [.init("w", shape: [6], as: .f32, values: patterns.map(Float.init(bitPattern:)))], to: url)
        #expect(try SafetensorsFile(url).tensor(named: "w").floats().map(\.bitPattern) == patterns)
    }

    @Test func bytesDependOnContentOnly() throws {
        let scratch = try ScratchDirectory()
        let tensors: [SafetensorsWriter.Tensor] = [
            .init("z", shape: [1], as: .f16, values: [1]),
            .init("a\"\\\n\u{e9}", shape: [3], as: .bf16, values: [1, 2, 3]),
            .init("m", shape: [], as: .f32, values: [7]), .init("e", shape: [0, 5], as: .f32, values: []),
        ]
        let (one, two) = (scratch.file("1"), scratch.file("2"))
        try SafetensorsWriter.write(tensors, to: one, metadata: ["k": "v\u{1}"])
        try SafetensorsWriter.write(tensors.reversed(), to: two, metadata: ["k": "v\u{1}"])
        #expect(try Data(contentsOf: one) == Data(contentsOf: two))
        let file = try SafetensorsFile(one)
        #expect(file.names == ["a\"\\\n\u{e9}", "e", "m", "z"])
        #expect(file.metadata == ["format": "pt", "k": "v\u{1}"])
        for name in file.names { #expect(try file.tensor(named: name).isAligned) }
        #expect(try file.tensor(named: "m").floats() == [7])
        #expect(try file.tensor(named: "e").floats().isEmpty)
        let length = try Data(contentsOf: one).prefix(8).enumerated().reduce(0) {
            $0 + Int($1.element) << (8 * $1.offset)
        }
        #expect(length % 8 == 0)
    }

    @Test func aStoredTensorIsCopiedBitForBit() throws {
        let scratch = try ScratchDirectory()
        let (one, two) = (scratch.file("1"), scratch.file("2"))
        try SafetensorsWriter.write([.init("w", shape: [2], as: .bf16, values: [0.1, 0.2])], to: one)
        let view = try SafetensorsFile(one).tensor(named: "w")
        try SafetensorsWriter.write([.init(copying: view, as: "w")], to: two)
        #expect(try Data(contentsOf: one) == Data(contentsOf: two))
    }

    @Test func aFailedWriteLeavesNothing() throws {
        let scratch = try ScratchDirectory()
        let url = scratch.file("a.safetensors")
        try SafetensorsWriter.write([.init("w", shape: [1], as: .f32, values: [1])], to: url)
        let before = try Data(contentsOf: url)
        struct Interruption: Error {}
        #expect(throws: Interruption.self) {
            try SafetensorsWriter.write(
                [.init("w", shape: [1], as: .f32, values: { throw Interruption() })], to: url)
        }
        #expect(throws: CheckpointError.self) {
            try SafetensorsWriter.write([.init("w", shape: [2], as: .f32, values: [1])], to: url)
        }
        #expect(try Data(contentsOf: url) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path) == ["a.safetensors"])
    }

    @Test func namesGivenTwiceAndIntegersAreNotWritten() throws {
        let scratch = try ScratchDirectory()
        let tensor = SafetensorsWriter.Tensor("w", shape: [1], as: .f32, values: [1])
        #expect(throws: CheckpointError.self) {
            try SafetensorsWriter.write([tensor, tensor], to: scratch.file("a"))
        }
        #expect(throws: CheckpointError.self) {
            try SafetensorsWriter.write(
                [.init("w", shape: [1], as: .i64, values: [1])], to: scratch.file("a"))
        }
        #expect(throws: FileError.self) {
            try SafetensorsWriter.write([tensor], to: scratch.file("none/a"))
        }
    }

    @Test func integersAndWrongLengthsAreNotRead() throws {
        let scratch = try ScratchDirectory()
        let url = scratch.file("a")
        let header =
            #"{"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"w":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}"#
        try safetensors(header: header, dataByteCount: 12).write(to: url)
        let file = try SafetensorsFile(url)
        #expect(throws: CheckpointError.self) { try file.tensor(named: "i").floats() }
        #expect(throws: CheckpointError.self) { try file.tensor(named: "absent") }
        var three: [Float] = [0, 0, 0]
        #expect(throws: CheckpointError.self) {
            try three.withUnsafeMutableBufferPointer { try file.tensor(named: "w").read(into: $0) }
        }
    }
}
