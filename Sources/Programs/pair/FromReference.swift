import Pairing
import Records
import Rewards
import StageKit

/// The record's reference against its answers.
struct FromReference: PairSource {
    static let name = "reference"
    static let options: Set = ["pairs"]

    private let count: Int

    init(_ command: Pair, _ run: StageRun) throws { count = try command.rule.pairsPerRecord }

    func pairs(of record: Record, _ truth: SceneTruth?) throws -> FoundPairs {
        let prompt = try Prompt(record)
        let sample = try Sample(record)
        guard let reference = prompt.reference else { throw RecordError.missing(key: "reference") }
        var found = FoundPairs()
        let speaking = sample.candidates.filter(\.hasWords)
        found.drop("answers without words", count: sample.candidates.count - speaking.count)
        let others = speaking.filter { !$0.says(reference) }
        if others.isEmpty, !speaking.isEmpty { found.drop("no answer but the reference") }
        for rejected in others.prefix(count) {
            found.add(reference, over: rejected.text, to: prompt, source: "reference")
        }
        return found
    }
}
