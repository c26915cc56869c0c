import ArgumentParser
import Foundation
import ModelOptions
import Pairing
import Records
import RunLedger
import StageKit

/// Lets the model judge its own answers.
@main struct SelfCritic: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "self-critic",
        abstract: "Let the model pick the better of two answers.",
        discussion: """
            Reads records with candidates and appends "verdicts"; pair --from verdicts makes pairs of them.
              self-critic candidates.jsonl --model data/llava --prompt-file data/prompts/critic-short.txt
            The prompt file holds {question}, {answer_1} and {answer_2}. The part from {#reference} to
            {/reference} is left out where no {reference} is shown, and the part from {#metrics} to {/metrics}
            with --metrics none. That every text fits into the model is checked before the first is asked.
            """)
    static let immaterialOptions: Set<String> = ["batch", "memory"]

    enum Metrics: String, ExpressibleByArgument, CaseIterable { case vision, none }

    @OptionGroup var options: StageOptions
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: PictureOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var model: ModelOptions

    @Option(help: ArgumentHelp("Text that asks the critic.", valueName: "file")) var promptFile: String
    @Option(
        help: ArgumentHelp(
            "PEFT adapter over --model that has learned to judge, folded in next to each --adapter.",
            valueName: "folder"))
    var criticAdapter: String?
    @Flag(help: "Show the critic the record's reference answer.") var reference = false
    @OptionGroup var looks: RewardPictureOptions
    @Option(help: "Criteria to compare by: those of the prompt file, or none.") var metrics = Metrics.vision
    @Option(help: "Ask about each pair in both orders, or in one: the sampled answer before the greedy one.")
    var order = AnswerOrder.both
    @Option(help: ArgumentHelp("Maximum pairs of answers to judge per record.", valueName: "n"))
    var maxPairs = 1
    @Option(help: "How to read the critic's text: the one number in it, or a number alone.")
    var reading = VerdictReading.plain
    @Option(help: "Maximum tokens per verdict, including its reasons.") var maxTokens = 160
    @Option(help: "Batch size, in records.") var batch = 16

    var runOptions: RunOptions { options.run }

    func validate() throws {
        for (name, value) in [
            ("max-pairs", maxPairs), ("max-tokens", maxTokens), ("batch", batch),
        ] where value < 1 {
            throw ValidationError("--\(name) \(value): give a number from 1")
        }
    }

    func refuseIdle(_ given: GivenOptions) throws { try looks.refuseIdle(given) }

    func run(in run: StageRun) throws {
        try engine.prepare(run)
        let file = try run.promptFile(promptFile)
        let shown = Set(
            CriticPrompt.Section.allCases.filter { $0 == .reference ? reference : metrics == .vision })
        let prompt = try CriticPrompt(file.text, place: "--prompt-file \(promptFile)", showing: shown)
        let policy = try model.open(run, pictures.reading, beside: criticAdapter)
        let memory = try engine.computing.planDecoding(policy)
        let critic = Critic(
            // What a verdict's `critic` says: the prompt, what of it was shown or left out, and about what.
            name: file.name + (reference ? "+reference" : "") + (metrics == .none ? "-metrics" : "")
                + (looks.picture == .other ? "+other-picture" : ""),
            model: policy, prompt: prompt, images: images,
            view: try looks.view(of: options.input, seed: engine.seed, run), order: order,
            maxPairs: maxPairs, reading: reading, maxTokens: maxTokens, memory: memory)
        var work = WorkEstimate(policy)
        func check(_ input: InputRecord) throws {
            let inquiry = try critic.inquiry(about: input)
            for question in inquiry.questions {
                try work.add(rows: question.tokens.count, picture: inquiry.image)
            }
        }
        try run.examine(options.input) { _ = try critic.inquiry(about: $0) }
        try run.transform(options, batch: batch, check: check) { try critic.judge($0) }
        if run.isDryRun {
            // Each pair is asked about in both orders at most.
            let atOnce = batch * 2 * maxPairs
            let slots = min(atOnce, work.records) * (work.longest + maxTokens)
            try engine.computing.sayPlan(policy, slots: slots, run)
            try work.say(drawing: maxTokens, atOnce: atOnce, run)
        }
        if critic.tooLong > 0 {
            run.console.warn(
                "\(critic.tooLong) pairs of answers are longer than the critic reads; sample shorter ones, or lower "
                    + "--max-tokens \(maxTokens)")
        }
        if critic.cut > 0 {
            run.console.warn(
                "\(critic.cut) of \(critic.asked) verdicts were cut at --max-tokens \(maxTokens) before they said which "
                    + "answer is better; raise it")
        }
    }
}

extension VerdictReading: ExpressibleByArgument {}
extension AnswerOrder: ExpressibleByArgument {}
