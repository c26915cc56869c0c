/// Everything one model answered in an evaluation, judged; the source of the summary's figures and of
/// their intervals.
package struct Evaluation: Sendable {
    package var captions: [CaptionJudgement]
    package var pope: [POPEItem]
    package var mme: [MMEItem]
    package var counting: CHAIRCounting

    package init(
        captions: [CaptionJudgement] = [], pope: [POPEItem] = [], mme: [MMEItem] = [],
        counting: CHAIRCounting = .original
    ) {
        (self.captions, self.pope, self.mme, self.counting) = (captions, pope, mme, counting)
    }

    /// Which figures this evaluation has; columns of `ClusteredSums` follow from it.
    private var layout: SumLayout {
        let splits = Set(pope.map(\.split))
        let tasks = Set(mme.map(\.task))
        return SumLayout(
            hasCaptions: !captions.isEmpty, splits: POPESplit.allCases.filter(splits.contains),
            tasks: SummaryKey.mmeTasks.filter(tasks.contains),
            companions: captions.reduce(into: CompanionSums()) { $0.addAll(of: $1) },
            habits: habits, asksCompanions: pope.contains { $0.companion != nil })
    }

    /// One estimator per key of `summary.json` that this evaluation can fill, in the order of the file.
    package var estimators: [Estimator] { layout.estimators }

    /// The same figures of each habit by itself, as far as they have a value.
    var habitEstimators: [(habit: AppliedHabit, estimators: [Estimator])] { layout.habitEstimators }

    /// What must agree for two evaluations to be held against each other.
    var figureNames: [String] {
        estimators.map(\.name)
            + habitEstimators.flatMap { named in named.estimators.map { "\(named.habit.name) \($0.name)" } }
    }

    /// Sufficient statistics per image.
    ///
    /// - Throws: `BenchmarksError.unmatched` where an MME question has no partner.
    package func sums() throws -> ClusteredSums {
        let layout = layout
        var sums = ClusteredSums(width: layout.width)
        for caption in captions {
            var own = CHAIRSums()
            own.add(caption, counting: counting)
            for (column, value) in (own.row + layout.companionRow(of: caption)).enumerated() {
                sums.add(value, column: column, cluster: caption.image)
            }
        }
        var asked: Set<[String]> = []
        for item in pope {
            guard let base = layout.column(of: item.split) else { continue }
            let saysYes = popeAnswer(in: item.answer) == .yes
            let isYes = item.truth == .yes
            sums.add(saysYes && isYes ? 1 : 0, column: base, cluster: item.image)
            sums.add(saysYes && !isYes ? 1 : 0, column: base + 1, cluster: item.image)
            sums.add(isYes ? 1 : 0, column: base + 2, cluster: item.image)
            sums.add(saysYes == isYes ? 1 : 0, column: base + 3, cluster: item.image)
            sums.add(1, column: base + 4, cluster: item.image)
            guard let companion = item.companion, asked.insert([item.image, companion]).inserted else {
                continue
            }
            sums.add(saysYes == isYes ? 1 : 0, column: layout.companionQuestions, cluster: item.image)
            sums.add(1, column: layout.companionQuestions + 1, cluster: item.image)
        }
        for pair in try MMEPair.pairs(of: mme) {
            guard let base = layout.column(ofTask: pair.task) else { continue }
            sums.add(Double(pair.right), column: base, cluster: pair.image)
            sums.add(2, column: base + 1, cluster: pair.image)
            sums.add(pair.right == 2 ? 1 : 0, column: base + 2, cluster: pair.image)
            sums.add(1, column: base + 3, cluster: pair.image)
        }
        return sums
    }

    /// The summary of this evaluation.
    ///
    /// - Parameter seconds: time that generating and scoring took.
    /// - Throws: `BenchmarksError.empty` if nothing was answered.
    package func summary(seconds: Double) throws -> Summary {
        guard layout.width > 0 else { throw BenchmarksError.empty(where: "evaluation") }
        let sums = try sums()
        let totals = sums.totals
        var values = Dictionary(
            uniqueKeysWithValues: estimators.map { ($0.name, $0.value(totals)) })
        values[SummaryKey.n] = Double(sums.clusters.count)
        values[SummaryKey.seconds] = seconds
        return Summary(values: values)
    }
}

extension CHAIRSums {
    static let columns = 7

    var row: [Double] {
        [captions, captionsWithInvention, mentions, inventedMentions, trueObjects, coveredObjects, words]
    }

    init(row: ArraySlice<Double>) {
        let first = row.startIndex
        captions = row[first]
        captionsWithInvention = row[first + 1]
        mentions = row[first + 2]
        inventedMentions = row[first + 3]
        trueObjects = row[first + 4]
        coveredObjects = row[first + 5]
        words = row[first + 6]
    }
}

/// Where the sums of each benchmark stand in a row of `ClusteredSums`: CHAIR's seven, four of all companions and
/// four per habit, five per POPE split (true positives, false positives, positives, right, total), two of POPE's
/// questions about companions (right, total), four per MME task.
private struct SumLayout: Sendable {
    var hasCaptions: Bool
    var splits: [POPESplit]
    var tasks: [String]
    /// Totals, which say what figures there are.
    var companions: CompanionSums
    var habits: [(habit: AppliedHabit, sums: CompanionSums)]
    var asksCompanions: Bool

    static let popeColumns = 5
    static let mmeColumns = 4

    var companionStart: Int { hasCaptions ? CHAIRSums.columns : 0 }
    var popeStart: Int { column(ofHabit: habits.count) }
    var companionQuestions: Int { popeStart + splits.count * Self.popeColumns }
    var mmeStart: Int { companionQuestions + (asksCompanions ? 2 : 0) }
    var width: Int { mmeStart + tasks.count * Self.mmeColumns }

    func column(of split: POPESplit) -> Int? {
        splits.firstIndex(of: split).map { popeStart + $0 * Self.popeColumns }
    }

    func column(ofTask task: String) -> Int? {
        tasks.firstIndex(of: task).map { mmeStart + $0 * Self.mmeColumns }
    }

    /// Without habits there are no columns for them.
    private func column(ofHabit index: Int) -> Int {
        companionStart + (habits.isEmpty ? 0 : CompanionSums.columns * (1 + index))
    }

    /// A caption's columns behind CHAIR's.
    func companionRow(of caption: CaptionJudgement) -> [Double] {
        guard !habits.isEmpty else { return [] }
        var all = CompanionSums()
        all.addAll(of: caption)
        return habits.reduce(all.row) { row, named in
            var own = CompanionSums()
            own.add(named.habit, of: caption)
            return row + own.row
        }
    }

    var estimators: [Estimator] {
        chair + companions.estimators(at: companionStart) + pope + companionAnswers + mme
    }

    var habitEstimators: [(habit: AppliedHabit, estimators: [Estimator])] {
        habits.enumerated().map { index, named in
            (named.habit, named.sums.estimators(at: column(ofHabit: index)))
        }
    }

    private var companionAnswers: [Estimator] {
        guard asksCompanions else { return [] }
        let base = companionQuestions
        return [Estimator(name: SummaryKey.popeCompanionAccuracy) { share($0[base], $0[base + 1]) }]
    }

    private var chair: [Estimator] {
        guard hasCaptions else { return [] }
        let figures: [(String, @Sendable (CHAIRScore) -> Double)] = [
            (SummaryKey.chairS, { $0.sentence }), (SummaryKey.chairI, { $0.instance }),
            (SummaryKey.objectRecall, { $0.objectRecall }), (SummaryKey.meanWords, { $0.meanWords }),
        ]
        return figures.map { name, figure in
            Estimator(name: name) { figure(CHAIRScore(CHAIRSums(row: $0[0..<CHAIRSums.columns]))) }
        }
    }

    private var pope: [Estimator] {
        guard !splits.isEmpty else { return [] }
        let columns = splits.compactMap(column(of:))
        let parts = splits.map(\.rawValue).enumerated().map { ($1, [columns[$0]]) } + [("mean", columns)]
        return parts.flatMap { part, columns in
            SummaryKey.popeFigures.map { name, figure in
                Estimator(name: SummaryKey.pope(part, name)) { sums in
                    figure(YesNoMetrics(meanOf: columns.map { metrics(sums, at: $0) }))
                }
            }
        }
    }

    private var mme: [Estimator] {
        let sums = SummaryKey.mmeSums.filter { Set($0.tasks).isSubset(of: tasks) }
        return (tasks.map { (name: $0, tasks: [$0]) } + sums).map { name, tasks in
            let columns = tasks.compactMap(column(ofTask:))
            return Estimator(name: SummaryKey.mme(name)) { sums in
                columns.reduce(0) { total, base in
                    total
                        + (100 * ratio(sums[base], sums[base + 1])
                            + 100 * ratio(sums[base + 2], sums[base + 3]))
                }
            }
        }
    }
}

@Sendable private func metrics(_ sums: [Double], at base: Int) -> YesNoMetrics {
    YesNoMetrics(
        truePositives: sums[base], falsePositives: sums[base + 1], positives: sums[base + 2],
        right: sums[base + 3], total: sums[base + 4])
}
