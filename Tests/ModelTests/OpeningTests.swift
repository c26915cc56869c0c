import Checkpoint
import Foundation
import Model
import OracleFixtures
import Testing

@Suite struct OpeningTests {
    /// Where neither config nor tokenizer names an end token, answers could not end: that is said at once.
    @Test func aModelWithoutAnEndTokenIsRefused() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.copyItem(
            at: Oracle.root.appendingPathComponent("llava-grouped"), to: folder)
        func replace(_ text: String, by other: String, in name: String) throws {
            let file = folder.appendingPathComponent(name)
            let old = try String(contentsOf: file, encoding: .utf8)
            #expect(old.contains(text))
            try Data(old.replacingOccurrences(of: text, with: other).utf8).write(to: file)
        }
        try replace(#""eos_token": "</s>""#, by: #""eos_token": null"#, in: "tokenizer_config.json")
        #expect(try VisionLanguageModel(directory: folder).end == 2)
        try replace(#""eos_token_id": 2"#, by: #""eos_token_id": null"#, in: "config.json")
        let error = #expect(throws: CheckpointError.self) { try VisionLanguageModel(directory: folder) }
        #expect(error?.description.contains("config.json: neither it nor the tokenizer") == true)
        #expect(error?.description.contains("add eos_token_id") == true)
    }

    /// What isn't read of a checkpoint, as a tower's pooling head, is there again in what is written of it.
    @Test func whatIsNotReadIsCarried() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let (from, to) = (folder.appendingPathComponent("from"), folder.appendingPathComponent("to"))
        for place in [folder, to] {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        }
        let original = Oracle.root.appendingPathComponent("llava-grouped")
        try FileManager.default.copyItem(at: original, to: from)
        let stored = try CheckpointDirectory.open(original)
        let weights = from.appendingPathComponent("model.safetensors")
        try FileManager.default.removeItem(at: weights)
        let extra = "model.vision_tower.vision_model.head.probe"
        try SafetensorsWriter.write(
            stored.names.map { .init(copying: try stored.tensor(named: $0), as: $0) }
                + [.init(extra, shape: [1, 1, 3], as: .bf16, values: [1, 2, 3])], to: weights)
        try VisionLanguageModel(directory: from).write(to: to, as: .f32)
        let written = try CheckpointDirectory.open(to)
        #expect(written.names == (stored.names + [extra]).sorted())
        #expect(try written.floats(extra) == [1, 2, 3])
    }
}
