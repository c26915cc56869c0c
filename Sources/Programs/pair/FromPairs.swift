import Records
import StageKit

/// Pairs that stand already, as an import writes them.
struct FromPairs: PairSource {
    static let name = "pairs"
    static let options: Set<String> = []

    init(_ command: Pair, _ run: StageRun) {}

    func pairs(of record: Record, _ truth: SceneTruth?) throws -> FoundPairs {
        FoundPairs(pairs: [try PreferencePair(record)])
    }
}
