import Records
import StageKit

/// The answers put right by the known scene, against the answers as they were.
struct FromCorrections: PairSource {
    static let name = "corrections"
    static let options: Set = ["pairs"]
    static let needsScenes = true

    private let count: Int

    init(_ command: Pair, _ run: StageRun) throws { count = try command.rule.pairsPerRecord }

    func pairs(of record: Record, _ truth: SceneTruth?) throws -> FoundPairs {
        let prompt = try Prompt(record)
        let sample = try Sample(record)
        var found = FoundPairs()
        guard let truth else {
            found.drop("no scene to correct by")
            return found
        }
        let corrected = sample.candidates.compactMap { answer in
            truth.corrected(answer.text).map { (chosen: $0, rejected: answer.text) }
        }
        if corrected.isEmpty { found.drop("nothing to correct") }
        for pair in corrected.prefix(count) {
            found.add(pair.chosen, over: pair.rejected, to: prompt, source: "corrections/scene")
        }
        return found
    }
}
