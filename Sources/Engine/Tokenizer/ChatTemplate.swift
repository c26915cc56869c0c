import Foundation

/// How a question becomes a prompt and an answer its continuation, as text. The beginning-of-text token is no
/// part of it: encoding the prompt with special tokens adds that one, and only once.
package struct ChatTemplate: Sendable, Equatable {
    /// What stands for the picture in a prompt.
    package static let image = "<image>"

    package let name: String
    /// Comes before the question's own text.
    private let opening: String
    /// Comes after it; the answer follows.
    private let closing: String
    /// Stands between the prompt and the answer's first word.
    private let answerLead: String
    /// Comes before a later question, after the end token of the answer before it.
    private let reopening: String
    /// What a Jinja template of this kind contains.
    private let telltale: String
    /// The token of a vocabulary that was made for this template, nil where none is.
    private let ownToken: String?

    /// Vicuna's system sentence (LLaVA's `conv_vicuna_v1`).
    private static let vicunaSystem =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions."

    // Order matters for recognition: Vicuna's template holds LLaVA's turns too.
    private static let all = [
        ChatTemplate(
            name: "vicuna_v1", opening: vicunaSystem + " USER: ", closing: " ASSISTANT:", answerLead: " ",
            reopening: "USER: ", telltale: "A chat between a curious", ownToken: nil),
        ChatTemplate(
            name: "chatml", opening: "<|im_start|>user\n", closing: "<|im_end|>\n<|im_start|>assistant\n",
            answerLead: "", reopening: "\n<|im_start|>user\n", telltale: "<|im_start|>",
            ownToken: "<|im_start|>"),
        ChatTemplate(
            name: "llama3", opening: "<|start_header_id|>user<|end_header_id|>\n\n",
            closing: "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", answerLead: "",
            reopening: "<|start_header_id|>user<|end_header_id|>\n\n", telltale: "<|start_header_id|>",
            ownToken: "<|start_header_id|>"),
        ChatTemplate(
            name: "llava", opening: "USER: ", closing: " ASSISTANT:", answerLead: " ", reopening: "USER: ",
            telltale: "ASSISTANT:", ownToken: nil),
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

    package static var names: [String] { all.map(\.name).sorted() }

    /// The template of that name. Throws ``TokenizerError/unknownTemplate(name:known:)``, which lists the names.
    package init(named name: String) throws {
        guard let found = Self.all.first(where: { $0.name == name }) else {
            throw TokenizerError.unknownTemplate(name: name, known: Self.names)
        }
        self = found
    }

    private init(
        name: String, opening: String, closing: String, answerLead: String, reopening: String,
        telltale: String, ownToken: String?
    ) {
        self.name = name
        self.opening = opening
        self.closing = closing
        self.answerLead = answerLead
        self.reopening = reopening
        self.telltale = telltale
        self.ownToken = ownToken
    }

    /// The template of the checkpoint in `directory`: the one named, else the one that its Jinja text
    /// (chat_template.jinja, chat_template.json or tokenizer_config.json) is recognised as, else the one that its
    /// vocabulary was made for, else `llava`. Throws when the name or the Jinja text is not known.
    package init(checkpoint directory: URL, tokenizer: Tokenizer, named name: String? = nil) throws {
        if let name {
            try self.init(named: name)
            return
        }
        if let (file, jinja) = try Self.jinja(directory) {
            guard let found = Self.all.first(where: { jinja.contains($0.telltale) }) else {
                throw TokenizerError.unrecognisedTemplate(file: file, known: Self.names)
            }
            self = found
            return
        }
        let byVocabulary = Self.all.first { $0.ownToken.flatMap(tokenizer.id(of:)) != nil }
        try self.init(named: byVocabulary?.name ?? "llava")
    }

    private static func jinja(_ directory: URL) throws -> (file: String, text: String)? {
        let plain = directory.appendingPathComponent("chat_template.jinja")
        if FileManager.default.fileExists(atPath: plain.path) {
            do {
                return (plain.path, try String(contentsOf: plain, encoding: .utf8))
            } catch {
                throw TokenizerError.unreadable(
                    file: plain.path, reason: "can't be read as UTF-8 (\(error.localizedDescription))")
            }
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
    /// white space that they leave at its ends: the picture always comes first, on a line of its own.
    package func prompt(_ question: String, hasImage: Bool) -> String {
        opening + (hasImage ? Self.image + "\n" : "") + Self.plain(question) + closing
    }

    private static func plain(_ question: String) -> String {
        let plain = question.replacingOccurrences(of: image, with: "")
        return plain == question ? question : plain.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The text up to where the answer begins, after earlier questions and answers.
    ///
    /// - Parameters:
    ///   - history: oldest first; the picture comes with the first.
    ///   - end: the end token of an answer, as text.
    package func prompt(
        _ question: String, after history: [(prompt: String, answer: String)], end: String, hasImage: Bool
    ) -> String {
        let questions = history.map(\.prompt) + [question]
        let first = prompt(questions[0], hasImage: hasImage)
        return zip(history, questions.dropFirst()).reduce(first) { text, turn in
            text + answer(turn.0.answer) + end + laterPrompt(Self.plain(turn.1))
        }
    }

    /// Words of a template's answers in `text`: a dialogue whose turns were made one text.
    package static func turn(in text: String) -> String? {
        text.firstMatch(
            of: /\bA(?:SSISTANT|ssistant):|\[\/INST\]|<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>/
        )
        .map { String($0.output) }
    }

    /// What follows the prompt when `text` is the answer, without the end token.
    package func answer(_ text: String) -> String { answerLead + text }

    /// What follows an answer's end token when the user goes on with `text`, up to where the next answer begins.
    package func laterPrompt(_ text: String) -> String { reopening + text + closing }
}
