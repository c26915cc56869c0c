import Foundation
import Testing
import Tokenizer

@Suite struct ChatTemplateTests {
    @Test func rendersPrompts() throws {
        let llava = try ChatTemplate(named: "llava")
        #expect(llava.prompt("What is this?", hasImage: true) == "USER: <image>\nWhat is this? ASSISTANT:")
        #expect(llava.prompt("Hello", hasImage: false) == "USER: Hello ASSISTANT:")
        #expect(llava.answer("A car.") == " A car.")
        let vicuna = try ChatTemplate(named: "vicuna_v1").prompt("Hi", hasImage: true)
        #expect(
            vicuna.hasPrefix("A chat between a curious user and an artificial intelligence assistant. The "))
        #expect(vicuna.hasSuffix("user's questions. USER: <image>\nHi ASSISTANT:"))
        #expect(vicuna.utf8.count - " USER: <image>\nHi ASSISTANT:".utf8.count == 154)
        let chatml = try ChatTemplate(named: "chatml")
        #expect(
            chatml.prompt("Hi", hasImage: true)
                == "<|im_start|>user\n<image>\nHi<|im_end|>\n<|im_start|>assistant\n")
        #expect(chatml.answer("A car.") == "A car.")
        #expect(
            try ChatTemplate(named: "llama3").prompt("Hi", hasImage: false)
                == "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                + "<|start_header_id|>assistant<|end_header_id|>\n\n")
    }

    @Test func thePictureAlwaysComesFirstAndOnce() throws {
        let llava = try ChatTemplate(named: "llava")
        for question in ["<image>\nWhat is this?", "What is this?\n<image>", "<image> What is this? <image>"]
        {
            #expect(llava.prompt(question, hasImage: true) == "USER: <image>\nWhat is this? ASSISTANT:")
        }
        #expect(llava.prompt("<image>\nHi", hasImage: false) == "USER: Hi ASSISTANT:")
    }

    /// Each template in its own words, the picture with the first question.
    @Test(arguments: [
        ("llava", "</s>", "USER: <image>\nWho? ASSISTANT: A man.</s>USER: Where? ASSISTANT:"),
        (
            "chatml", "<|im_end|>",
            "<|im_start|>user\n<image>\nWho?<|im_end|>\n<|im_start|>assistant\nA man.<|im_end|>"
                + "\n<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\n"
        ),
        // As `get_prompt` of NVlabs/VILA (6b941da) has them.
        (
            "vila_hermes_2", "</s>",
            "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n<image>\nWho?<|im_end|>"
                + "<|im_start|>assistant\nA man.<|im_end|><|im_start|>user\nWhere?<|im_end|>"
                + "<|im_start|>assistant\n"
        ),
        (
            "vila_llama_3", "</s>",
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
                + "You are a helpful language and vision assistant. You are able to understand the visual "
                + "content that the user provides, and assist the user with a variety of tasks using natural "
                + "language.<|end_of_text|><|start_header_id|>user<|end_header_id|>\n\n<image>\nWho?"
                + "<|end_of_text|><|start_header_id|>system<|end_header_id|>\n\nA man.<|end_of_text|>"
                + "<|start_header_id|>user<|end_header_id|>\n\nWhere?<|end_of_text|>"
                + "<|start_header_id|>system<|end_header_id|>\n\n"
        ),
    ])
    func turnsAreTurns(name: String, end: String, expected: String) throws {
        let template = try ChatTemplate(named: name)
        let history = [(prompt: "<image>\nWho?", answer: "A man.")]
        #expect(template.prompt("Where?", after: history, end: end, hasImage: true) == expected)
        let alone = template.prompt("Where?", after: [], end: end, hasImage: true)
        #expect(alone == template.prompt("Where?", hasImage: true))
        #expect(
            ChatTemplate.turn(in: expected) != nil && ChatTemplate.turn(in: "Ask an assistant: who?") == nil)
    }

    @Test func unknownNamesListTheKnownOnes() {
        #expect {
            try ChatTemplate(named: "alpaca")
        } throws: {
            "\($0)".contains("alpaca")
                && "\($0)".contains(
                    "chatml, llama3, llava, mistral, phi3, qwen2, qwen2_vl, smolvlm, vicuna_v1, "
                        + "vila_hermes_2, vila_llama_3")
        }
    }

    @Test func isChosenFromTheCheckpoint() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("template-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let llama = try Fixture.tokenizer("metaspace")
        let bytes = try Fixture.tokenizer("bytelevel")
        func chosen(_ named: String? = nil) throws -> String? {
            try ChatTemplate(checkpoint: directory, tokenizer: llama, named: named).name
        }
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: directory.appendingPathComponent(name))
        }
        #expect(try chosen() == "llava")
        #expect(try chosen("chatml") == "chatml")
        let chatml =
            "{% for m in messages %}<|im_start|>{{ m.role + '\\n' + m.content }}<|im_end|>{{ '\\n' }}{% endfor %}"
            + "<|im_start|>assistant{{ '\\n' }}"
        try write(#"{"chat_template": "\#(chatml)"}"#, "tokenizer_config.json")
        // which knows the end of a turn
        #expect(try ChatTemplate(checkpoint: directory, tokenizer: bytes).name == "chatml")
        try write(#"{"chat_template": "{{ role.upper() + ': ' }}{{ 'ASSISTANT:' }}"}"#, "chat_template.json")
        #expect(try chosen() == "llava")
        try write("A chat between a curious user … USER: … ASSISTANT:", "chat_template.jinja")
        #expect(try chosen() == "vicuna_v1")
        #expect(try chosen("llama3") == "llama3")
        try write("[INST] {{ question }} [/INST]", "chat_template.jinja")
        #expect {
            try chosen()
        } throws: {
            "\($0)".contains("chat_template.jinja: its chat template can't be followed (")
        }
    }

    /// By the vocabulary alone: a Jinja text isn't asked.
    @Test(arguments: [
        ("</s>", "vicuna_v1"), ("<|im_start|>", "vila_hermes_2"), ("<|start_header_id|>", "vila_llama_3"),
    ])
    func aVILAHasItsOwn(token: String, name: String) throws {
        let text = String(decoding: try Fixture.data("metaspace.json"), as: UTF8.self)
        let other = text.replacingOccurrences(of: #""</s>""#, with: #""\#(token)""#)
        let tokenizer = try Tokenizer(json: Data(other.utf8))
        #expect(tokenizer.id(of: token) == 2)
        #expect(try ChatTemplate(vilaReading: tokenizer).name == name)
        #expect(try ChatTemplate(vilaReading: tokenizer, named: "llava").name == "llava")
    }

    @Test func aPromptsIdsBeginThoseOfPromptAndAnswer() throws {
        let template = try ChatTemplate(named: "llava")
        for name in ["llama", "metaspace", "bytelevel", "llama3", "qwen2"] {
            let tokenizer = try Fixture.tokenizer(name)
            let prompt = template.prompt("Is there a red car?", hasImage: true)
            let ids = tokenizer.encode(prompt, addSpecialTokens: true)
            let whole = tokenizer.encode(prompt + template.answer("A small house."), addSpecialTokens: true)
            #expect(whole.starts(with: ids) && whole.count > ids.count, "\(name)")
        }
    }
}
