import ArgumentParser
import Foundation
import ModelOptions
import Records
import Relevance
import Rewards
import StageKit

/// Scores drawn sentences and answers by CSR's calibrated reward.
@main struct Calibrate: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Score sentences and answers by likelihood and relevance, or by a reward model.",
        discussion: """
            Reads sample's output and adds "scores" to its nodes (likelihood, relevance, calibrated) and to its
            candidates (calibrated: the path score).
              calibrate candidates.jsonl --relevance data/clip -o scored.jsonl
            Without --relevance the relevance in the nodes is used, so that another λ needs no model:
              calibrate scored.jsonl --lambda 0.5 -o scored-0.5.jsonl
            With --reward, a reward model from reward-train scores the answers instead: "graded", and "reward",
            which adds the symbolic rewards. Then use pair --score reward.
              calibrate candidates.jsonl --reward reward --model data/llava -o scored.jsonl
            """)
    static let immaterialOptions: Set<String> = ["batch"]

    @OptionGroup var options: StageOptions
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: PictureOptions
    @OptionGroup var engine: EngineOptions

    @Option(
        help: ArgumentHelp(
            "CLIP or SigLIP that scores sentences, in Hugging Face layout.", valueName: "folder"))
    var relevance: String?
    @OptionGroup var base: BaselineOptions
    @Option(help: "How likelihood and relevance are put on one scale.") var mode = Calibration.Mode.zscore
    @Option(help: "Weight of relevance, from 0 (likelihood alone) to 1.") var lambda = 0.9
    @Option(help: "How an answer's score follows from the rewards of its sentences.")
    var pathRule = Calibration.PathRule.mean
    @Option(help: "Which sentences a z-score is taken over; use level for answers drawn whole.")
    var among = Calibration.Peers.siblings
    @Option(
        help:
            "Which likelihood of a sentence counts: the model's own, or that of the beam search with its penalties."
    )
    var likelihood = Calibration.Likelihood.model
    @Option(
        help: ArgumentHelp(
            """
            Drop sentences, and all that follow them, before scoring: \
            \(SentenceFilter.Rule.known.joined(separator: ", ")); N and more are too many.
            """, valueName: "rule"))
    var filter: [SentenceFilter.Rule] = []
    @Flag(help: "Recompute the likelihoods under --model.") var rescore = false
    @Option(help: ArgumentHelp("Model for --rescore or --reward.", valueName: "folder")) var model: String?
    @Option(
        help: ArgumentHelp(
            "PEFT adapter to fold into --model; repeat for several, in order.", valueName: "folder"))
    var adapter: [String] = []
    @Option(help: ArgumentHelp("Chat template of --model; the checkpoint's by default.", valueName: "name"))
    var template: String?
    @OptionGroup var features: FeatureOptions
    @OptionGroup(title: "Reward model") var rewarding: RewardOptions
    @OptionGroup var looks: RewardPictureOptions
    @Option(help: "Batch size, in records.") var batch = 16

    var runOptions: RunOptions { options.run }

    func validate() throws {
        if batch < 1 { throw ValidationError("--batch \(batch): give a number from 1") }
        let needsModel = rescore || rewarding.reward != nil
        if needsModel != (model != nil) {
            throw ValidationError(
                needsModel
                    ? "--rescore and --reward: give --model"
                    : "--model \(model ?? ""): add --rescore or --reward, or leave it out")
        }
        if !needsModel, !adapter.isEmpty || template != nil {
            throw ValidationError("--adapter and --template belong to --model")
        }
        if !needsModel, engine.computing.compute == .int8 {
            throw ValidationError("--compute int8 is for the decoder of --model; leave it out")
        }
        if rewarding.reward != nil, rescore || relevance != nil {
            throw ValidationError("--reward replaces likelihood and relevance; leave the others out")
        }
        if rescore, likelihood == .beam {
            throw ValidationError(
                "--likelihood beam uses the scores of the search; leave --rescore out")
        }
        do { _ = try calibration } catch { throw ValidationError("--\(error)") }
    }

    private var calibration: Calibration {
        get throws {
            try Calibration(
                mode: mode, lambda: lambda, pathRule: pathRule, peers: among, likelihood: likelihood)
        }
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(
            ["mode", "lambda", "path-rule", "among", "likelihood", "filter"], where: rewarding.reward != nil,
            belongingTo: "scores by likelihood and relevance, not to --reward")
        try given.refuse(
            ["correct-reward", "length-penalty", "length-limit", "unfinished-penalty"],
            where: rewarding.reward == nil, belongingTo: "--reward")
        try given.refuse(
            ["picture"], where: relevance == nil && rewarding.reward == nil,
            belongingTo: "--relevance and --reward")
        // A recipe's baseline-nearest has made the scores that are only mixed anew without --relevance.
        try given.typed.refuse(BaselineOptions.names, where: relevance == nil, belongingTo: "--relevance")
        if relevance != nil { try base.refuseIdle(given) }
        try looks.refuseIdle(given)
    }

    func run(in run: StageRun) throws {
        try engine.prepare(run)
        let view = try looks.view(of: options.input, seed: engine.seed, run)
        if let reward = rewarding.reward, let policy = policy {
            let judge = try policy.open(run, pictures.reading)
            _ = try engine.computing.planDecoding(judge)
            if run.isDryRun { try engine.computing.sayPlan(judge, run) }
            let scoring = try RewardScoring(
                folder: reward, on: judge, rewarding.symbolic, images, view, run)
            return try run.transform(options, batch: batch, check: { _ = try scoring.read($0) }) { batch in
                try batch.map { .record(try scoring.score($0)) }
            }
        }
        let relevance = try relevance.map { try base.open($0, images, pictures.reading, run) }
        let likelihood = try policy.map { try $0.open(run, pictures.reading) }
        if let likelihood { _ = try engine.computing.planDecoding(likelihood) }
        let rescorer = likelihood.map { Rescorer($0) }
        let scoring = Scoring(
            scorer: SentenceScorer(
                calibration: try calibration, relevance: relevance?.model, cleansTexts: !filter.isEmpty),
            relevance: relevance, rescorer: rescorer, images: images, view: view,
            filter: filter.isEmpty ? nil : SentenceFilter(filter))
        var work = likelihood.map { WorkEstimate($0) }
        func check(_ input: InputRecord) throws {
            let read = try scoring.read(input)
            let rows = try rescorer?.rows(of: read.sample, to: read.prompt, image: read.ownImage)
            try work?.add(rows: rows ?? 0, picture: read.ownImage)
        }
        try run.transform(options, batch: batch, check: check) { scoring.score($0) }
        if run.isDryRun, let likelihood {
            try engine.computing.sayPlan(likelihood, run)
            try work?.say(run)
        }
        if let cut = relevance?.model.cutTexts, cut > 0 {
            run.console.say(
                "\(cut) sentences were longer than the relevance model reads; their ends were ignored")
        }
    }

    private var policy: ModelOptions? {
        model.map { ModelOptions($0, adapter: adapter, template: template, features: features) }
    }
}

extension Calibration.Mode: ExpressibleByArgument {}
extension Calibration.PathRule: ExpressibleByArgument {}
extension Calibration.Peers: ExpressibleByArgument {}
extension Calibration.Likelihood: ExpressibleByArgument {}

extension SentenceFilter.Rule: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public var defaultValueDescription: String { description }
}
