import ArgumentParser
import Pairing
import Records
import StageKit

/// Where the pairs of a record come from: a file each, and a line in `PairOrigin.all`. An option of its own is declared
/// in `Pair`.
protocol PairSource: Sendable {
    /// As `--from` names it.
    static var name: String { get }
    /// Long names of `pair`'s options that this source takes and some other doesn't.
    static var options: Set<String> { get }
    /// Of all pairs the share with the largest margins that stays, unless it is said.
    static var share: Double { get }
    /// Whether critics decide, of whom is told how much they settled.
    static var hasCritics: Bool { get }
    /// Whether a scene that can't be read is a fault.
    static var needsScenes: Bool { get }

    /// - Parameter run: opens what a source reads besides the records, by `run.pool`.
    init(_ command: Pair, _ run: StageRun) throws

    /// - Parameter truth: nil for a record without a known scene.
    /// - Throws: `RecordError`, `PreferenceError`, all about this record.
    func pairs(of record: Record, _ truth: SceneTruth?) throws -> FoundPairs
}

extension PairSource {
    static var share: Double { 1 }
    static var hasCritics: Bool { false }
    static var needsScenes: Bool { false }
}

/// What a source finds in a record.
struct FoundPairs {
    var pairs: [PreferencePair] = []
    /// Counts by the reason for which nothing came of something.
    var dropped: [String: Int] = [:]
    /// What critics said, and how many of the pairs they judged differ in truth; nil where no critic decided.
    var judged: (verdicts: VerdictPairs, differing: Int)?

    mutating func drop(_ reason: String, count: Int = 1) {
        if count > 0 { dropped[reason, default: 0] += count }
    }

    /// Another pair of the record, `id#2` where it is the second.
    mutating func add(
        _ chosen: String, over rejected: String, to prompt: Prompt, margin: Double? = nil, source: String,
        isPartial: Bool = false
    ) {
        let number = pairs.count + 1
        pairs.append(
            PreferencePair(
                id: number == 1 ? prompt.id : "\(prompt.id)#\(number)", image: prompt.image,
                prompt: prompt.prompt, history: prompt.history, chosen: chosen, rejected: rejected,
                margin: margin, source: source, isPartial: isPartial))
    }
}

/// What `--from` takes: the name of a source.
struct PairOrigin: ExpressibleByArgument {
    static let all: [any PairSource.Type] = [
        FromScores.self, FromVerdicts.self, FromCorrections.self, FromReference.self, FromPairs.self,
    ]
    static let allValueStrings = all.map { $0.name }

    let source: any PairSource.Type

    init(_ source: any PairSource.Type) { self.source = source }

    init?(argument: String) {
        guard let source = Self.all.first(where: { $0.name == argument }) else { return nil }
        self.source = source
    }

    var defaultValueDescription: String { source.name }

    /// Refuses the options of other sources.
    /// - Throws: `StageError.usage`, which says whose they are.
    func refuseIdle(_ given: GivenOptions) throws {
        let foreign = Set(Self.all.flatMap { $0.options }).subtracting(source.options)
        let byOwners = Dictionary(grouping: foreign.sorted()) { key in
            Self.all.filter { $0.options.contains(key) }.map { "--from \($0.name)" }.joined(
                separator: " and ")
        }
        for (owners, keys) in byOwners.sorted(by: { $0.key < $1.key }) {
            try given.refuse(keys, where: true, belongingTo: owners)
        }
    }
}
