import Foundation
import Testing
import Tokenizer

/// A published template, and what transformers renders by it (Tests/Fixtures/tokenizers/make_templates.py).
private struct Published: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let template: String
    let tokens: [String]
    let bos: String?
    let eos: String
    let known: String?
    let picture: String
    let plain: String
    let later: String
    let answered: String
    var testDescription: String { name }

    static func all() throws -> [Published] {
        try JSONDecoder().decode([Published].self, from: Fixture.data("templates.json"))
    }

    /// A byte-level tokenizer with its special tokens, which puts `bos` in front.
    func tokenizer() throws -> Tokenizer {
        var json = try #require(
            try JSONSerialization.jsonObject(with: Fixture.data("bytelevel.json")) as? [String: Any])
        var added: [[String: Any]] = []
        for (index, token) in tokens.enumerated() {
            added.append(["id": 5000 + index, "content": token, "special": true, "normalized": false])
        }
        json["added_tokens"] = added
        json["post_processor"] = nil
        let configuration: [String: Any] = [
            "bos_token": bos as Any, "eos_token": eos, "add_bos_token": bos != nil,
        ].filter { !($0.value is String?) || ($0.value as? String) != nil }
        return try Tokenizer(
            json: JSONSerialization.data(withJSONObject: json),
            configuration: JSONSerialization.data(withJSONObject: configuration))
    }

    func chatTemplate() throws -> ChatTemplate {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("jinja-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try Data(template.utf8).write(to: directory.appendingPathComponent("chat_template.jinja"))
        return try ChatTemplate(checkpoint: directory, tokenizer: tokenizer())
    }
}

@Suite struct TemplateTests {
    @Test(arguments: try Published.all())
    private func rendersAsTransformers(_ published: Published) throws {
        let template = try published.chatTemplate()
        #expect(template.name == published.known)
        let question = "What is this?"
        #expect(template.prompt(question, hasImage: true) == published.picture)
        #expect(template.prompt(question, hasImage: false) == published.plain)
        // LLaVA's answers were trained with an end token, which its published text leaves out between turns.
        if template.name == "llava" { return }
        let history = [(prompt: question, answer: "A red car.")]
        #expect(template.prompt("Where?", after: history, end: "?", hasImage: true) == published.later)
        // Where the prompt is how the reference begins an answered dialogue, so is the answer.
        if published.answered.hasPrefix(published.picture) {
            let end = try #require(template.end)
            #expect(
                published.answered.hasPrefix(published.picture + template.answer("A red car.") + end))
            #expect(!end.isEmpty)
        }
    }

    /// By its name a template does what its published text does.
    @Test(arguments: try Published.all().filter { $0.known != nil })
    private func namesMeanTheSame(_ published: Published) throws {
        let named = try ChatTemplate(named: #require(published.known))
        let read = try published.chatTemplate()
        for hasImage in [true, false] {
            #expect(named.prompt("Hi", hasImage: hasImage) == read.prompt("Hi", hasImage: hasImage))
            let history = [(prompt: "Hi", answer: "Yes.")]
            #expect(
                named.prompt("Hi", after: history, end: read.end ?? "", hasImage: hasImage)
                    == read.prompt("Hi", after: history, end: "", hasImage: hasImage))
        }
        #expect(named.answer("Yes.") == read.answer("Yes."))
        #expect(named.end == nil || named.end == read.end)
    }

    /// What isn't understood is said, and nothing near it is taken.
    @Test(arguments: [
        ("{% macro a() %}{% endmacro %}", "the statement macro"),
        ("{% for m in messages %}{{ m['content'] }}", "no endfor"),
        ("{{ raise_exception('No.') }}", "No."),
        ("{% for m in messages %}{{ m['content'] | wordcount }}{% endfor %}", "the filter wordcount"),
        ("{% for m in messages %}{{ m['role'] }}{% endfor %}", "it leaves turns out"),
        ("{{ messages[0]['content'] }}{{ messages", "a tag without end"),
    ])
    func refuses(_ template: String, _ reason: String) throws {
        let published = Published(
            name: "", template: template, tokens: ["</s>"], bos: nil, eos: "</s>", known: nil, picture: "",
            plain: "", later: "", answered: "")
        #expect {
            try published.chatTemplate()
        } throws: {
            "\($0)".contains("can't be followed (\(reason)")
        }
    }
}
