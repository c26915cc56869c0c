import Foundation

/// How a question becomes a prompt and an answer its continuation, as text. The beginning-of-text token is no
/// part of it: encoding the prompt with special tokens adds that one, and only once.
package struct ChatTemplate: Sendable, Equatable {
    /// What stands for the picture in a question.
    package static let image = "<image>"

    /// nil for one that was read from a checkpoint and is none of the known.
    package var name: String?
    /// Comes before the question's own text.
    let opening: String
    /// The same with a picture, whose marker is in it.
    let pictureOpening: String
    /// Comes after the question; the answer follows.
    let closing: String
    /// Stands between the prompt and the answer's first word.
    let answerLead: String
    /// Stands between an earlier question and its answer.
    let passage: String
    /// Comes before a later question, after the end of the answer before it.
    let reopening: String
    /// What ends an answer, as text: empty where the template lets it end without, nil where it is the end token of the
    /// tokenizer.
    package let end: String?

    init(
        name: String?, opening: String, pictureOpening: String? = nil, closing: String,
        answerLead: String = "",
        passage: String? = nil, reopening: String, end: String? = nil
    ) {
        self.name = name
        self.opening = opening
        self.pictureOpening = pictureOpening ?? opening + Self.image + "\n"
        self.closing = closing
        self.answerLead = answerLead
        self.passage = passage ?? closing + answerLead
        self.reopening = reopening
        self.end = end
    }

    /// Vicuna's system sentence (LLaVA's `conv_vicuna_v1`).
    private static let vicunaSystem =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions."

    private static let vicuna = ChatTemplate(
        name: "vicuna_v1", opening: vicunaSystem + " USER: ", closing: " ASSISTANT:", answerLead: " ",
        reopening: "USER: ")
    private static let llava = ChatTemplate(
        name: "llava", opening: "USER: ", closing: " ASSISTANT:", answerLead: " ", reopening: "USER: ")
    private static let chatml = ChatTemplate(
        name: "chatml", opening: "<|im_start|>user\n", closing: "<|im_end|>\n<|im_start|>assistant\n",
        reopening: "\n<|im_start|>user\n")
    private static let llama3 = ChatTemplate(
        name: "llama3", opening: "<|start_header_id|>user<|end_header_id|>\n\n",
        closing: "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        reopening: "<|start_header_id|>user<|end_header_id|>\n\n")
    private static let system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    /// Qwen2's and Qwen1.5's ChatML, with their system turn.
    private static let qwen2 = ChatTemplate(
        name: "qwen2", opening: system + chatml.opening, closing: chatml.closing, reopening: chatml.reopening,
        end: "<|im_end|>")
    private static let qwen2VL = ChatTemplate(
        name: "qwen2_vl", opening: qwen2.opening,
        pictureOpening: qwen2.opening + "<|vision_start|><|image_pad|><|vision_end|>",
        closing: chatml.closing,
        reopening: chatml.reopening, end: "<|im_end|>")
    private static let smolVLM = ChatTemplate(
        name: "smolvlm", opening: "<|im_start|>User: ", pictureOpening: "<|im_start|>User:<image>",
        closing: "<end_of_utterance>\nAssistant:", answerLead: " ", reopening: "\nUser: ",
        end: "<end_of_utterance>")
    private static let phi3 = ChatTemplate(
        name: "phi3", opening: "<|user|>\n", closing: "<|end|>\n<|assistant|>\n", reopening: "\n<|user|>\n",
        end: "<|end|>")
    /// LLaVA-NeXT's over Mistral.
    private static let mistral = ChatTemplate(
        name: "mistral", opening: "[INST] ", closing: " [/INST]", answerLead: " ", reopening: " [INST] ",
        end: "</s>")

    /// VILA-1.5's over LLaMA 3 (`llama_3` in llava/conversation.py of NVlabs/VILA, branch vila1.5), in which the assistant
    /// is called system. The start token is written out, beside the one that the tokenizer may add.
    private static let vilaLlama3 = ChatTemplate(
        name: "vila_llama_3",
        opening: "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
            + "You are a helpful language and vision assistant. "
            + "You are able to understand the visual content that the user provides, "
            + "and assist the user with a variety of tasks using natural language.<|end_of_text|>"
            + llama3.opening,
        closing: "<|end_of_text|><|start_header_id|>system<|end_header_id|>\n\n",
        reopening: llama3.reopening, end: "<|end_of_text|>")
    /// Its ChatML (`hermes-2`), without line breaks between turns.
    private static let vilaHermes2 = ChatTemplate(
        name: "vila_hermes_2",
        opening: "<|im_start|>system\nAnswer the questions.<|im_end|>" + chatml.opening,
        closing: "<|im_end|><|im_start|>assistant\n", reopening: chatml.opening, end: "<|im_end|>")

    private static let all = [
        vicuna, llava, chatml, llama3, qwen2, qwen2VL, smolVLM, phi3, mistral, vilaLlama3, vilaHermes2,
    ]

    /// Templates whose Jinja text is known by words in it. They are what models were trained in, with an end token after
    /// each answer, which the published Jinja text of LLaVA-1.5 leaves out between turns.
    private static let byTelltale = [
        // Vicuna's template holds LLaVA's turns too.
        ("A chat between a curious", vicuna), ("<|start_header_id|>", llama3), ("ASSISTANT:", llava),
    ]

    /// Templates by a token of the vocabularies that were made for them.
    private static let byToken = [
        ("<end_of_utterance>", smolVLM), ("<|image_pad|>", qwen2VL), ("<|im_start|>", chatml),
        ("<|start_header_id|>", llama3),
    ]

    /// The template `llava` for transformers. A content is a string or a list of parts; pictures come first.
    package static let llavaJinja = #"""
        {%- for message in messages -%}
        {%- set parts = message['content'] -%}
        {%- if parts is string %}{% set parts = [{'type': 'text', 'text': parts}] %}{% endif -%}
        {{- 'USER: ' if message['role'] == 'user' else ' ASSISTANT: ' -}}
        {%- for part in parts if part['type'] == 'image' %}{{ '<image>\n' }}{% endfor -%}
        {%- for part in parts if part['type'] == 'text' %}{{ part['text'] }}{% endfor -%}
        {{- '</s>' if message['role'] == 'assistant' -}}
        {%- endfor -%}
        {{- ' ASSISTANT:' if add_generation_prompt -}}

        """#

    package static var names: [String] { all.compactMap(\.name).sorted() }

    /// The template of that name. Throws ``TokenizerError/unknownTemplate(name:known:)``, which lists the names.
    package init(named name: String) throws {
        guard let found = Self.all.first(where: { $0.name == name }) else {
            throw TokenizerError.unknownTemplate(name: name, known: Self.names)
        }
        self = found
    }

    /// The template of the checkpoint in `directory`: the one named, else what its Jinja text (chat_template.jinja,
    /// chat_template.json or tokenizer_config.json) does, else the one that its vocabulary was made for, else the one called
    /// `usual`. Throws when a name is not known, or the Jinja text does what isn't understood.
    package init(
        checkpoint directory: URL, tokenizer: Tokenizer, named name: String? = nil,
        otherwise usual: String = "llava"
    ) throws {
        if let name {
            try self.init(named: name)
        } else if let (file, jinja) = try Self.jinja(directory) {
            self = try Self.read(jinja, from: file, tokenizer)
        } else {
            self = try Self.byToken.first { tokenizer.id(of: $0.0) != nil }?.1 ?? ChatTemplate(named: usual)
        }
    }

    /// The template of a VILA: the one named, else the one for its decoder's vocabulary. VILA's code has its own; a Jinja
    /// text beside the tokenizer is the bare decoder's. Throws when a name is not known.
    package init(vilaReading tokenizer: Tokenizer, named name: String? = nil) throws {
        let byToken = [("<|start_header_id|>", Self.vilaLlama3), ("<|im_start|>", Self.vilaHermes2)]
        self =
            try name.map(ChatTemplate.init(named:))
            ?? byToken.first { tokenizer.id(of: $0.0) != nil }?.1 ?? Self.vicuna
    }

    private static func read(_ jinja: String, from file: String, _ tokenizer: Tokenizer) throws
        -> ChatTemplate
    {
        if let known = byTelltale.first(where: { jinja.contains($0.0) }) { return known.1 }
        do {
            var found = try ChatTemplate(jinja: jinja, tokenizer)
            found.name = all.first(where: found.isSame)?.name
            return found
        } catch let error as JinjaError {
            throw TokenizerError.unrecognisedTemplate(file: file, reason: error.reason, known: names)
        }
    }

    /// Whether it makes the same texts, whatever ends an answer.
    private func isSame(as other: ChatTemplate) -> Bool {
        [\ChatTemplate.opening, \.pictureOpening, \.closing, \.answerLead, \.passage, \.reopening].allSatisfy
        {
            self[keyPath: $0] == other[keyPath: $0]
        }
    }

    private static func jinja(_ directory: URL) throws -> (file: String, text: String)? {
        let plain = directory.appendingPathComponent("chat_template.jinja")
        if let data = try TokenizerFiles.data(of: plain) {
            guard let text = String(validating: data, as: UTF8.self) else {
                throw TokenizerError.unreadable(file: plain.path, reason: "it is not UTF-8")
            }
            return (plain.path, text)
        }
        for name in ["chat_template.json", "tokenizer_config.json"] {
            let file = directory.appendingPathComponent(name)
            guard let value = try TokenizerFiles.read(file)?["chat_template"] else { continue }
            // Several templates by name: the one called default is for chat.
            let named = value.items?.first { $0["name"]?.asText == "default" }?["template"]?.asText
            if let text = value.asText ?? named { return (file.path, text) }
        }
        return nil
    }

    /// The text up to where the answer begins. Markers of the picture in the question are dropped, with the
    /// white space that they leave at its ends: the picture always comes first.
    package func prompt(_ question: String, hasImage: Bool) -> String {
        (hasImage ? pictureOpening : opening) + Self.plain(question) + closing
    }

    private static func plain(_ question: String) -> String {
        let plain = question.replacingOccurrences(of: image, with: "")
        return plain == question ? question : plain.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The text up to where the answer begins, after earlier questions and answers.
    ///
    /// - Parameters:
    ///   - history: oldest first; the picture comes with the first.
    ///   - end: the end token of an answer, as text, where the template doesn't say.
    package func prompt(
        _ question: String, after history: [(prompt: String, answer: String)], end: String, hasImage: Bool
    ) -> String {
        let questions = (history.map(\.prompt) + [question]).map(Self.plain)
        let first = (hasImage ? pictureOpening : opening) + questions[0]
        return zip(history, questions.dropFirst()).reduce(first) { text, turn in
            text + passage + turn.0.answer + (self.end ?? end) + reopening + turn.1
        } + closing
    }

    /// Words of a template's answers in `text`: a dialogue whose turns were made one text.
    package static func turn(in text: String) -> String? {
        text.firstMatch(
            of:
                /\bA(?:SSISTANT|ssistant):|\[\/INST\]|<\|im_start\|>|<\|assistant\|>|<\|start_header_id\|>|<start_of_turn>/
        )
        .map { String($0.output) }
    }

    /// What follows the prompt when `text` is the answer, without the end token.
    package func answer(_ text: String) -> String { answerLead + text }

    /// What follows an answer's end token when the user goes on with `text`, up to where the next answer begins.
    package func laterPrompt(_ text: String) -> String { reopening + text + closing }
}
