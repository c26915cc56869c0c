import Foundation
import ModelOptions
import StageKit
import Testing

/// What `--model` may name.
struct PolicyTests {
    private func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/policy-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: "\(path)/x/round-1/adapter", withIntermediateDirectories: true)
        return path
    }

    private func write(_ text: String, _ file: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    @Test func aCheckpointIsItself() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try Policy(at: "nowhere") == Policy(model: "nowhere", adapters: []))
        // A merged model may lie beside adapters.
        try write("{}", "\(path)/x/config.json")
        try write("{}", "\(path)/x/adapter_config.json")
        #expect(try Policy(at: "\(path)/x") == Policy(model: "\(path)/x", adapters: []))
    }

    /// A run that was moved whole still finds the adapters of its rounds.
    @Test func aRoundStandsForAllBelowIt() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let round = "\(path)/x/round-1/adapter"
        try write("{}", "\(round)/adapter_config.json")
        try Policy(model: "/models/llava", adapters: ["\(path)/x/round-0/adapter"])
            .write(to: round, at: "\(path)/x/round-1/adapter")
        let text = try String(contentsOfFile: "\(round)/policy.json", encoding: .utf8)
        #expect(text == #"{"model":"/models/llava","adapters":["\#(path)/x/round-0/adapter"]}"# + "\n")
        let expected = ["\(path)/x/round-0/adapter", "\(path)/x/round-1/adapter"]
        for name in ["\(path)/x/round-1", round] {
            #expect(try Policy(at: name) == Policy(model: "/models/llava", adapters: expected))
        }
        // Told from the adapter's folder where they were typed so.
        try Policy(model: "data/llava", adapters: ["runs/x/round-1/adapter"])
            .write(to: round, at: "runs/x/round-2/adapter")
        let relative = try String(contentsOfFile: "\(round)/policy.json", encoding: .utf8)
        #expect(
            relative == #"{"model":"../../../../data/llava","adapters":["../../round-1/adapter"]}"# + "\n")
        #expect(
            try Policy(at: "\(path)/x/round-1").adapters == [
                "\(path)/x/round-1/adapter", "\(path)/x/round-1/adapter",
            ])
    }

    @Test func anAdapterOfOthersNamesItsBase() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let config = "\(path)/x/adapter_config.json"
        try write(##"{"base_model_name_or_path":"\##(path)"}"##, config)
        #expect(
            try Policy(at: "\(path)/x") == Policy(model: path, adapters: ["\(path)/x"]))
        try FileManager.default.createSymbolicLink(atPath: "\(path)/link", withDestinationPath: "\(path)/x")
        #expect(try Policy(at: "\(path)/link").adapters == ["\(path)/link"])
        for base in ["null", #""llava-hf/llava-1.5-7b-hf""#] {
            try write(#"{"base_model_name_or_path":\#(base)}"#, config)
            #expect(throws: StageError.self) { try Policy(at: "\(path)/x") }
        }
        try write(#"{"base_model_name_or_path":null}"#, config)
        #expect(throws: StageError.self) { try Policy(at: "\(path)/x") }
        try write("", "\(path)/x/reward_head.safetensors")
        #expect(throws: StageError.self) { try Policy(at: "\(path)/x") }
    }
}
