import ArgumentParser
import Foundation
import JSON
import Pairing
import Records
import Rewards
import RunLedger
import StageKit

/// Chooses a better and a worse answer to each prompt.
@main struct Pair: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "pair",
        abstract: "Pair the better and the worse answer of each record.",
        discussion: """
            Reads scored records and writes a line per pair: the best answer against the worst, within bounds that
            keep length out of the preference. Of all pairs, a share with the largest margins is kept. With --unit
            sentence a pair breaks off after the first sentence that differs. With --blind-balance pairs are
            dropped that a judge which reads only the words gets right.
              pair scored.jsonl -o pairs.jsonl
              pair scored.jsonl --keep-fraction 1 --no-equal-sentences --word-tolerance 1 -o pairs.jsonl
              pair scored.jsonl --unit sentence --pairs 6 --blind-balance -o pairs.jsonl
              pair judged.jsonl --from verdicts -o pairs.jsonl
              pair candidates.jsonl --from reference -o pairs.jsonl
              pair imported.jsonl --from pairs --align-edits data/llava -o weighted.jsonl
              pair candidates.jsonl --score truth --keep-fraction 1 -o comparisons.jsonl
            Where records carry the "scene" of a drawn picture, the reward is compared with the truth.
            """)
    static let immaterialOptions: Set<String> = ["audit"]

    @OptionGroup var options: StageOptions

    @Option(
        help: """
            What decides: scores, verdicts, corrections by the known scene, the reference as the better answer, \
            or pairs made elsewhere.
            """)
    var from = PairOrigin(FromScores.self)
    @Option(
        help:
            "Which answer of a pair is chosen: the better one or, as a control, one at random.")
    var order = PairOrder.reward
    @Option(help: ArgumentHelp("Seed of --order random.", valueName: "n"))
    var seed: UInt64 = 0
    @Option(
        help: ArgumentHelp(
            "Mark the spans that differ between the answers, using this model's tokenizer.",
            valueName: "folder"))
    var alignEdits: String?
    @Option(
        help: "Name of the score that decides; truth means the fewest false sentences, by the known scene.")
    var score = ScoreName.calibrated
    @Option(
        help: "What a pair compares: whole answers, or sentences that follow the same beginning."
    )
    var unit = PairUnit.answer
    @Option(
        help: ArgumentHelp(
            "Minimum score of a chosen sentence, such as cosine=0.17, so that it fits the picture at all.",
            valueName: "score=number"))
    var floor: NamedNumber<Double>?
    @Flag(inversion: .prefixedNo, help: "Pair only answers with the same number of sentences.")
    var equalSentences = true
    @Option(help: "Maximum difference in words, as a share of the longer answer; 1 for any.")
    var wordTolerance = 0.1
    @Option(help: "Share of the largest margin that may be traded for a longer common beginning.")
    var prefixSlack = 0.0
    @Option(help: "Minimum margin: the two scores must differ by more than this.") var minMargin = 0.0
    @Flag(help: "Also pair different answers of equal score, the first of the tree against the last.")
    var allowTies = false
    @Option(
        help:
            "Share of all pairs to keep, those with the largest margins; by default half with --from scores, else all."
    )
    var keepFraction: Double?
    @Flag(
        help: """
            Leave out pairs that can be told apart without the picture, so that each word is about as frequent in chosen answers as \
            in rejected ones.
            """)
    var blindBalance = false
    @Option(help: ArgumentHelp("Maximum pairs per record.", valueName: "n")) var pairs = 1
    @Flag(
        help: "Make a pair for every record with two different answers, lifting bounds that would leave none."
    )
    var keepAll = false
    @Flag(help: "With --from verdicts: use only the order that was asked first.") var oneOrder = false
    @Option(
        help: ArgumentHelp(
            "Write to this file how well the preferences agree with known scenes.", valueName: "file"))
    var audit: String?

    var runOptions: RunOptions { options.run }

    func validate() throws {
        do {
            _ = try rule
            _ = try PairRule.keepsLargest([], fraction: share)
        } catch { throw ValidationError("--\(error)") }
        if unit == .sentence, score == ScoreName.truth {
            throw ValidationError("--score truth judges whole answers; leave --unit sentence out")
        }
        if keepAll, blindBalance || floor != nil {
            throw ValidationError(
                "--keep-all keeps every pair; leave \(blindBalance ? "--blind-balance" : "--floor") out")
        }
        if keepAll, keepFraction.map({ $0 < 1 }) ?? false {
            throw ValidationError("--keep-all keeps every pair; leave --keep-fraction out")
        }
    }

    private var share: Double { keepFraction ?? (keepAll ? 1 : from.source.share) }

    var rule: PairRule {
        get throws {
            try PairRule(
                equalSentences: equalSentences, wordTolerance: wordTolerance, prefixSlack: prefixSlack,
                minimumMargin: minMargin, allowsTies: allowTies, pairsPerRecord: pairs, keepAll: keepAll)
        }
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try from.refuseIdle(given)
        try given.refuse(["prefix-slack"], where: unit == .sentence, belongingTo: "--unit answer")
        try given.refuse(["floor"], where: unit != .sentence, belongingTo: "--unit sentence")
        try given.refuse(["seed"], where: order != .random, belongingTo: "--order random")
    }

    func run(in run: StageRun) throws {
        if let audit { try options.check(sideOutput: audit, "--audit") }
        if let alignEdits { try run.addModel(alignEdits, role: "tokenizer") }
        let maker = PairMaker(
            source: try from.source.init(self, run), order: order, seed: seed,
            edits: try alignEdits.map { try EditSpans(model: URL(fileURLWithPath: $0)) },
            needsScenes: from.source.needsScenes || audit != nil || score == ScoreName.truth)
        if run.isDryRun {
            return try run.transform(options, batch: 1, check: { _ = try maker.pairs(of: $0) }) { _ in [] }
        }
        let decision =
            options.input.isRereadable
            ? try pairFiles(run, maker) : try pairStream(run, maker)
        if let decision { try report(decision, run) }
    }

    /// Files are read twice, so that nothing is held and a resumed run knows all margins.
    private func pairFiles(_ run: StageRun, _ maker: PairMaker) throws -> PairDecision {
        var book = PairBook(share: share, isBalanced: blindBalance)
        try run.survey(options.input) { input in
            // A bad record is met again below and reported there.
            if let made = try? maker.pairs(of: input) { book.note(made, of: input) }
        }
        let decision = try book.decided()
        try run.transform(options, batch: 1) { batch in
            try [maker.pairs(of: batch[0]).result(decision.fates[batch[0].number])]
        }
        return decision
    }

    /// What comes through a pipe is held until the last pair is known, unless all are kept anyway.
    private func pairStream(_ run: StageRun, _ maker: PairMaker) throws -> PairDecision? {
        var decision: PairDecision?
        try run.stream(options) { stream in
            var book = PairBook(share: share, isBalanced: blindBalance)
            var held: [(input: InputRecord, made: MadePairs)] = []
            while let input = try stream.next() {
                do {
                    let made = try maker.pairs(of: input)
                    book.note(made, of: input)
                    guard share == 1, !blindBalance else {
                        held.append((input, made))
                        continue
                    }
                    try stream.finish(input, made.result())
                } catch let error as StageError { throw error } catch {
                    try stream.finish(input, .bad(error))
                }
            }
            let decided = try book.decided()
            for (input, made) in held { try stream.finish(input, made.result(decided.fates[input.number])) }
            decision = decided
        }
        return decision
    }

    private func report(_ decision: PairDecision, _ run: StageRun) throws {
        let audited = decision.audited
        let result = RewardAudit(audited)
        var metrics: [(name: String, value: Double)] = []
        if let guessed = decision.guessed {
            run.console.say(
                "a judge without pictures, fitted to the pairs, gets \((guessed * 1000).rounded() / 10)% of them right; what it can guess is left out"
            )
            metrics.append(("blind_guessed", guessed))
        }
        if !audited.isEmpty || audit != nil { metrics += result.metrics }
        if from.source.hasCritics {
            run.console.say("\(decision.tally)")
            metrics += decision.tally.metrics
        }
        for line in audited.isEmpty ? [] : result.description.split(separator: "\n") {
            run.console.say(String(line))
        }
        run.addMetrics(metrics.map { Metric(name: "audit/\($0.name)", value: $0.value, step: nil) })
        guard let audit else { return }
        if audited.isEmpty {
            run.console.say("no pair has the scene of its picture; the audit can't compare with the truth")
        }
        try run.write(
            try JSONObject(figures: metrics).bytes + [UInt8(ascii: "\n")], to: audit, role: "audit")
    }
}

extension PairOrder: ExpressibleByArgument {}
extension PairUnit: ExpressibleByArgument {}
