import ArgumentParser
import Checkpoint
import Foundation
import Model
import ModelOptions
import StageKit

/// Folds adapters into their base, to be used without them.
@main struct Merge: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Fold adapters into a model and write it in Hugging Face layout.",
        discussion: """
              merge --model runs/demo/round-1 -o merged
            The result is read back and checked: every weight against the sum in f32, and the logits of a few
            prompts against those of base and adapter unmerged. A model that fails isn't given its name.
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions
    @Option(name: [.short, .long], help: ArgumentHelp("Folder to write the model to.", valueName: "folder"))
    var output: String
    @Option(help: "Element type of the written weights; that of the base by default.") var dtype: ElementType?

    func run(in run: StageRun) throws {
        // What is checked here is that folding changes nothing, which products of rounded factors would hide.
        try threads.prepare(run, compute: .f32)
        let target = try AtomicFolder(output)
        let named = try model.policy()
        guard let last = named.adapters.last else {
            throw StageError.usage("no adapter to fold; give it with --adapter, or a round with --model")
        }
        let policy = try model.open(
            Policy(model: named.model, adapters: named.adapters.dropLast()), run)
        try run.addModel(last, role: "adapter \(named.adapters.count)")
        let place = URL(fileURLWithPath: last)
        let adapter = try PEFTAdapter.read(place, expecting: policy.digest)
        if adapter.changesNothing { run.warnOfIdleAdapter(last) }
        try policy.family.attach(adapter, from: last)
        try run.checkThatNoModelIs(in: output)
        if run.isDryRun { return run.console.say("dry run: the merged model would go to \(output)") }

        let probe = try LogitProbe(policy)
        let sideBySide = try probe.logits(policy)
        policy.family.useAdapter(false)
        let alone = try probe.logits(policy)
        policy.family.settleAdapter()
        try MergeCheck.fold(sideBySide, try probe.logits(policy), output)

        let part = URL(fileURLWithPath: try target.prepare(keeping: false))
        let type = dtype ?? policy.storedType
        try policy.write(to: part, as: type)
        let written = try VisionLanguageModel(directory: part, template: model.template)
        let check = try MergeCheck(
            folded: policy.parameters, written: written.parameters, type: type,
            logits: (sideBySide, try probe.logits(written)), without: alone, output)
        try target.publish()
        try run.addOutput(output, kind: .model)
        run.addMetric("merge/logit_difference", Double(check.difference))
        run.console.say(check.description)
    }
}
