import ArgumentParser
import Decoding
import Foundation
import Model
import ModelOptions
import Records
import Relevance
import StageKit

/// Draws answers to prompts: whole, or sentence by sentence as a tree.
@main struct SampleStage: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Draw candidate answers for each prompt.",
        discussion: """
            Reads prompts {"id","image","prompt"} and adds "nodes" (sentences) and "candidates" (finished
            answers as paths of sentences).
              sample prompts.jsonl --model data/llava --count 5 --temperature 1 -o candidates.jsonl
              sample prompts.jsonl --model data/llava --mode tree --relevance data/clip -o candidates.jsonl
              sample prompts.jsonl --model data/llava --mode tree --draw group-beams --steer-by likelihood
            A sample depends only on seed, record id and sample number, not on other records, threads, shards or
            where a run was resumed.
            """)
    static let immaterialOptions: Set<String> = ["batch", "memory"]

    enum Mode: String, ExpressibleByArgument, CaseIterable { case answers, tree }

    @OptionGroup var options: StageOptions
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: PictureOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Tree") var tree: TreeOptions

    @Option(help: "Draw whole answers, or a tree of sentences.") var mode = Mode.answers
    @Option(help: "Answers to draw per prompt.") var count = 5
    @Flag(help: "Also draw one answer greedily, as the first candidate.") var withGreedy = false
    @Option(help: "Sampling temperature; 0 is greedy.") var temperature = 1.0
    @Option(help: "Sample from the k likeliest tokens; 0 for all.") var topK = 0
    @Option(help: "Sample from the likeliest tokens that together reach this probability.") var topP = 1.0
    @Option(help: "Maximum tokens per answer, or per sentence of a tree.") var maxTokens = 128
    @Option(help: "Batch size, in prompts.") var batch = 32
    @Flag(help: "Print the tokens of each prompt with ids and labels, and stop.") var dumpTokens = false

    var runOptions: RunOptions { options.run }

    func validate() throws {
        if count < (withGreedy ? 0 : 1) {
            throw ValidationError("--count \(count): draw at least one answer")
        }
        if temperature != 0, !(temperature >= 0.001 && temperature.isFinite) {
            throw ValidationError("--temperature \(temperature): give 0 or a number from 0.001")
        }
        if topK < 0 { throw ValidationError("--top-k \(topK): give 0 or more") }
        if !(topP > 0 && topP <= 1) { throw ValidationError("--top-p \(topP): give a number in (0, 1]") }
        if maxTokens < 1 { throw ValidationError("--max-tokens \(maxTokens): give a number from 1") }
        if tree.draw == .groupBeams {
            if mode == .answers {
                throw ValidationError("--draw group-beams draws sentences: add --mode tree")
            }
            if temperature != 1 || topK != 0 || topP != 1 {
                throw ValidationError("--temperature, --top-k and --top-p belong to --draw sampling")
            }
        }
        if batch < 1 { throw ValidationError("--batch \(batch): give a number from 1") }
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(TreeOptions.names, where: mode == .answers, belongingTo: "--mode tree")
        try given.refuse(["count", "with-greedy"], where: mode == .tree, belongingTo: "--mode answers")
        try given.refuse(
            ["diversity-penalty", "length-penalty"], where: tree.draw == .sampling,
            belongingTo: "--draw group-beams")
        try given.refuse(
            ["relevance", "lambda", "calibration", "picture"] + BaselineOptions.names,
            where: mode == .tree && tree.steerBy != .reward, belongingTo: "--steer-by reward")
        try given.refuse(
            ["prune"], where: mode == .tree && tree.steerBy == .chance,
            belongingTo: "--steer-by reward and --steer-by likelihood")
        try given.refuse(
            ["picture"] + BaselineOptions.names, where: tree.relevance == nil, belongingTo: "--relevance")
        try tree.base.refuseIdle(given)
    }

    func run(in run: StageRun) throws {
        try engine.prepare(run)
        let policy = try model.open(run, pictures.reading)
        let sampler = Sampler(temperature: temperature, topK: topK, topP: topP)
        let drafts = PromptReader(model: policy, images: images)
        if dumpTokens {
            return try run.transform(options) { input in
                run.console.say(try TokenDump(policy).text(of: drafts.read(input).tokens, id: input.id))
                return .records([])
            }
        }
        let steering = mode == .tree ? try tree.steering(run, images, pictures.reading) : nil
        let view = try tree.view(of: options.input, seed: engine.seed, run)
        let plan = self.plan(policy, sampler)
        let memory = try engine.computing.planDecoding(policy)
        let author = Author(
            model: policy, plan: plan, steering: steering, view: view, images: images,
            maxCharacters: mode == .tree ? tree.maxCharacters : nil, memory: memory,
            mode: mode.rawValue)
        var work = WorkEstimate(policy)
        func check(_ input: InputRecord) throws {
            let read = try drafts.read(input)
            try work.add(rows: read.tokens.count, picture: read.image)
            _ = try view.seen(input)
        }
        try run.transform(options, batch: batch, check: check) { batch in
            let read = batch.map { input in Result { try drafts.read(input) } }
            return try author.answer(batch, read)
        }
        if run.isDryRun {
            let slots = plan.slots(promptTokens: work.longest)
            let fit = max(1, memory / (KeyValueCache.bytesPerSlot(policy.decoder) * slots))
            try engine.computing.sayPlan(policy, slots: min(batch, work.records) * slots, run)
            try work.say(
                drawing: plan.steps, streams: plan.samplers.count * plan.width, atOnce: min(batch, fit), run)
        }
        steering?.sayWhatWasCut(run.console)
    }

    private func plan(_ policy: VisionLanguageModel, _ sampler: Sampler) -> GrowthPlan {
        let context = policy.context
        switch mode {
        case .answers:
            let samplers = (withGreedy ? [Sampler.greedy] : []) + Array(repeating: sampler, count: count)
            return GrowthPlan(
                samplers: samplers, stops: policy.stops, maxTokens: maxTokens, context: context,
                seed: engine.seed)
        case .tree:
            return GrowthPlan(
                samplers: Array(repeating: sampler, count: tree.children),
                beams: tree.beams(pad: policy.tokenizer.pad), stops: policy.stops,
                passesStops: tree.endToken == .passes, periods: policy.periods, maxTokens: maxTokens,
                maxDepth: tree.maxSentences, width: tree.width, context: context, seed: engine.seed)
        }
    }
}
