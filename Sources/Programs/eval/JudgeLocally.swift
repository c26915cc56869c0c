import ArgumentParser
import Decoding
import Exams
import JSON
import Model
import ModelOptions
import Records
import StageKit

/// Answers requests to a judge with a model of this machine.
struct JudgeLocally: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval judge-local",
        abstract: "Answer a judge's requests with a local model.",
        discussion: """
            Reads what eval judge-requests wrote and writes lines of OpenAI's batch output, for eval
            judge-replies. A system message stands before the question, on lines of its own. Requests longer
            than the model reads get an error in their line.
              eval judge-local requests.jsonl --model data/judge -o replies.jsonl
            """)
    static let immaterialOptions: Set<String> = ["batch", "memory"]

    @OptionGroup var options: StageOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var model: ModelOptions
    @Option(help: "Maximum tokens per reply, where the request doesn't say.") var maxTokens = 512
    @Option(help: "Batch size, in requests.") var batch = 16

    var runOptions: RunOptions { options.run }

    func validate() throws {
        for (name, count) in [("max-tokens", maxTokens), ("batch", batch)] where count < 1 {
            throw ValidationError("--\(name) \(count): give a number from 1")
        }
    }

    func run(in run: StageRun) throws {
        try engine.prepare(run)
        let opened = try model.open(run)
        let memory = try engine.computing.planDecoding(opened)
        let judge = LocalJudge(opened, seed: engine.seed, memory: memory)
        func requests(_ inputs: [InputRecord]) throws -> [LocalJudge.Request] {
            try inputs.map { try LocalJudge.Request($0.record, maxTokens: maxTokens) }
        }
        var work = WorkEstimate(opened)
        func check(_ input: InputRecord) throws {
            for request in try requests([input]) {
                let tokens = try opened.encode(prompt: request.text, picture: nil).prompt
                try work.add(rows: tokens.count, picture: nil)
            }
        }
        try run.transform(options, from: .unnamed, batch: batch, check: check) {
            try judge.answer(requests($0)).map { .record($0) }
        }
        if run.isDryRun {
            let slots = min(batch, work.records) * (work.longest + maxTokens)
            try engine.computing.sayPlan(opened, slots: slots, run)
            try work.say(drawing: maxTokens, atOnce: batch, run)
        }
    }
}

/// A model that is asked without a picture.
private struct LocalJudge {
    struct Request {
        let id: String
        let text: String
        let temperature: Double
        let maxTokens: Int

        /// - Throws: `RecordError` for what is no request of text alone.
        init(_ record: Record, maxTokens usual: Int) throws {
            id = try record.requiredString("custom_id")
            let body = try record.requiredObject("body")
            let messages = try body.objects("messages") {
                (try $0.requiredString("role"), try $0.requiredString("content"))
            }
            let turns = try body.required("messages", messages)
            guard turns.map(\.0) == ["user"] || turns.map(\.0) == ["system", "user"] else {
                throw RecordError.invalid(
                    key: "messages", found: "\(turns.map(\.0))",
                    remedy: "give one user message, or system and user")
            }
            text = turns.map(\.1).joined(separator: "\n\n")
            temperature = try body.double("temperature") ?? 0
            maxTokens = try body.int("max_tokens") ?? usual
            guard temperature >= 0, maxTokens > 0 else {
                throw RecordError.invalid(
                    key: "body", found: "temperature \(temperature), max_tokens \(maxTokens)",
                    remedy: "give a temperature from 0 and tokens from 1")
            }
        }
    }

    private let model: VisionLanguageModel
    private let seed: UInt64
    private let memory: Int

    init(_ model: VisionLanguageModel, seed: UInt64, memory: Int) {
        (self.model, self.seed, self.memory) = (model, seed, memory)
    }

    /// A line of batch output for each. What is drawn depends on seed and `custom_id` alone.
    func answer(_ requests: [Request]) throws -> [Record] {
        struct Kind: Hashable {
            let temperature: Double
            let maxTokens: Int
        }
        var lines: [Int: Record] = [:]
        var prompts: [Kind: [(index: Int, tokens: [Int32])]] = [:]
        for (index, request) in requests.enumerated() {
            do {
                let tokens = try model.encode(prompt: request.text, picture: nil).prompt
                try model.checkLength(
                    of: tokens, ["longest reply": request.maxTokens], remedy: "lower --max-tokens")
                let kind = Kind(temperature: request.temperature, maxTokens: request.maxTokens)
                prompts[kind, default: []].append((index, tokens))
            } catch let error as PromptError {
                lines[index] = failure(request, "\(error)")
            }
        }
        for (kind, own) in prompts {
            let plan = GrowthPlan(
                samplers: [Sampler(temperature: kind.temperature)], stops: model.stops,
                maxTokens: kind.maxTokens, context: model.context, seed: seed)
            let grower = Grower(
                model: model.decoder, plan: plan, memory: memory,
                longestPrompt: own.map(\.tokens.count).max() ?? 0, records: own.count)
            let grown = try grower.grow(
                own.map { GrowthRequest(id: requests[$0.index].id, tokens: $0.tokens, picture: nil) }
            ) { _, _, _ in [] }
            for (prompt, nodes) in zip(own, grown) {
                lines[prompt.index] = line(requests[prompt.index], nodes[0])
            }
        }
        return requests.indices.compactMap { lines[$0] }
    }

    private func line(_ request: Request, _ node: GrownNode) -> Record {
        let tokens = node.end == .stop ? Array(node.tokens.dropLast()) : node.tokens
        var message = JSONObject()
        message.set("role", .string("assistant"))
        message.set("content", .string(model.tokenizer.decode(tokens, skipSpecialTokens: true)))
        var choice = JSONObject()
        choice.set("index", .int(0))
        choice.set("message", .object(message))
        choice.set("finish_reason", .string(node.end == .stop ? "stop" : "length"))
        var body = JSONObject()
        body.set("model", .string("local \(model.digest.prefix(12))"))
        body.set("choices", .array([.object(choice)]))
        var response = JSONObject()
        response.set("status_code", .int(200))
        response.set("body", .object(body))
        return output(request, response: .object(response), error: .null)
    }

    private func failure(_ request: Request, _ text: String) -> Record {
        var error = JSONObject()
        error.set("code", .string("prompt"))
        error.set("message", .string(text))
        return output(request, response: .null, error: .object(error))
    }

    private func output(_ request: Request, response: JSON, error: JSON) -> Record {
        var record = Record()
        record.set("custom_id", .string(request.id))
        record.set("response", response)
        record.set("error", error)
        return record
    }
}
