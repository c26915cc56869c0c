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
            tasks: SummaryKey.mmeTasks.filter(tasks.contains))
    }

    /// One estimator per key of `summary.json` that this evaluation can fill, in the order of the file.
    package var estimators: [Estimator] { layout.estimators }

    /// Sufficient statistics per image.
    ///
    /// - Throws: `BenchmarksError.unmatched` where an MME question has no partner.
    package func sums() throws -> ClusteredSums {
        let layout = layout
        var sums = ClusteredSums(width: layout.width)
        for caption in captions {
            var own = CHAIRSums()
            own.add(caption, counting: counting)
            for (column, value) in own.row.enumerated() {
                sums.add(value, column: column, cluster: caption.image)
            }
        }
        for item in pope {
            guard let base = layout.column(of: item.split) else { continue }
            let saysYes = popeAnswer(in: item.answer) == .yes
            let isYes = item.truth == .yes
            sums.add(saysYes && isYes ? 1 : 0, column: base, cluster: item.image)
            sums.add(saysYes && !isYes ? 1 : 0, column: base + 1, cluster: item.image)
            sums.add(isYes ? 1 : 0, column: base + 2, cluster: item.image)
            sums.add(saysYes == isYes ? 1 : 0, column: base + 3, cluster: item.image)
            sums.add(1, column: base + 4, cluster: item.image)
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

/// Where the sums of each benchmark stand in a row of `ClusteredSums`: CHAIR's seven, five per POPE split
/// (true positives, false positives, positives, right, total), four per MME task.
private struct SumLayout: Sendable {
    var hasCaptions: Bool
    var splits: [POPESplit]
    var tasks: [String]

    static let popeColumns = 5
    static let mmeColumns = 4

    var popeStart: Int { hasCaptions ? CHAIRSums.columns : 0 }
    var mmeStart: Int { popeStart + splits.count * Self.popeColumns }
    var width: Int { mmeStart + tasks.count * Self.mmeColumns }

    func column(of split: POPESplit) -> Int? {
        splits.firstIndex(of: split).map { popeStart + $0 * Self.popeColumns }
    }

    func column(ofTask task: String) -> Int? {
        tasks.firstIndex(of: task).map { mmeStart + $0 * Self.mmeColumns }
    }

    var estimators: [Estimator] { chair + pope + mme }

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
        tasks.compactMap { task in
            column(ofTask: task).map { base in
                Estimator(name: SummaryKey.mme(task)) { sums in
                    100 * ratio(sums[base], sums[base + 1]) + 100 * ratio(sums[base + 2], sums[base + 3])
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
