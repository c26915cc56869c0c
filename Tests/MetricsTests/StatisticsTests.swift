import Foundation
import Metrics
import Testing

@Suite struct BootstrapTests {
    private let mean = Estimator(name: "mean", .function(of: ["sum", "count"]) { $0[0] / $0[1] })

    private func sums(_ values: [Double], reversed: Bool = false) -> ClusteredSums {
        var sums = ClusteredSums()
        let rows = Array(values.enumerated())
        for (index, value) in reversed ? rows.reversed() : rows {
            sums.add(["sum": value, "count": 1], to: "image \(index)")
        }
        return sums
    }

    /// 100 shares of 0 or 1 with mean 0.3: the interval is near the normal one, 0.3 ± 1.96·0.0458.
    @Test func coversAsTheNormalApproximation() throws {
        let values = (0..<100).map { $0 < 30 ? 1.0 : 0 }
        let result = try PairedBootstrap().intervals(
            [BootstrapSystem(name: "a", seeds: [sums(values)])], estimators: [mean])
        let interval = try #require(result.first).values[0]
        #expect(interval.estimate == 0.3)
        #expect(abs(interval.lower - 0.21) < 0.011 && abs(interval.upper - 0.39) < 0.011, "\(interval)")
        #expect(result[0].differences.isEmpty)
    }

    @Test func aConstantShiftHasNoUncertaintyWhenPaired() throws {
        let values = (0..<50).map { Double($0 * 37 % 50) }
        let result = try PairedBootstrap(resamples: 500).intervals(
            [
                BootstrapSystem(name: "a", seeds: [sums(values)]),
                // Images in another order: rows are met by id.
                BootstrapSystem(name: "b", seeds: [sums(values.map { $0 - 2 }, reversed: true)]),
            ], estimators: [mean])
        let difference = result[0].differences[0]
        #expect(abs(difference.lower + 2) < 1e-9 && abs(difference.upper + 2) < 1e-9)
        #expect(difference.excludesZero)
        #expect(result[0].values[0].upper - result[0].values[0].lower > 5)
    }

    /// Two seeds that differ by 2 on every image: the mean lies between, the interval reaches from one to the other,
    /// and what stands beside them is what it is alone.
    @Test func seedsAreTakenTogetherAndDrawn() throws {
        let values = (0..<50).map { Double($0 * 37 % 50) }
        let base = BootstrapSystem(name: "a", seeds: [sums(values)])
        let alone = BootstrapSystem(name: "b", seeds: [sums(values.map { $0 * 2 })])
        let seeds = [1.0, 3].map { shift in sums(values.map { $0 + shift }) }
        let bootstrap = PairedBootstrap(resamples: 500)
        let results = try bootstrap.intervals(
            [base, BootstrapSystem(name: "c", seeds: seeds), alone], estimators: [mean])
        let difference = results[0].differences[0]
        #expect(abs(difference.estimate - 2) < 1e-9)
        #expect(abs(difference.lower - 1) < 1e-9 && abs(difference.upper - 3) < 1e-9, "\(difference)")
        let without = try bootstrap.intervals([base, alone], estimators: [mean])
        #expect(results[0].differences[1] == without[0].differences[0])
        #expect(throws: MetricsError.empty(where: "bootstrap")) {
            try bootstrap.intervals([base, BootstrapSystem(name: "c", seeds: [])], estimators: [mean])
        }
    }

    @Test func clustersAreDrawnWhole() throws {
        // Ten rows in two clusters: resampled means can only be 0, ½ or 1.
        var sums = ClusteredSums()
        for row in 0..<10 {
            sums.add(["sum": row < 5 ? 1 : 0, "count": 1], to: row < 5 ? "a" : "b")
        }
        let interval = try PairedBootstrap(resamples: 200).intervals(
            [BootstrapSystem(name: "x", seeds: [sums])], estimators: [mean])[0].values[0]
        #expect(interval == Interval(estimate: 0.5, lower: 0, upper: 1))
    }

    @Test func isDeterministicAndSeeded() throws {
        let system = BootstrapSystem(name: "a", seeds: [sums((0..<30).map { Double($0) })])
        func run(_ seed: UInt64) throws -> [BootstrapResult] {
            try PairedBootstrap(resamples: 300, seed: seed).intervals([system], estimators: [mean])
        }
        #expect(try run(1) == run(1))
        #expect(try run(1) != run(2))
    }

    @Test func runsOverOtherImagesAreRefused() {
        let a = BootstrapSystem(name: "base", seeds: [sums([1, 2])])
        let b = BootstrapSystem(name: "round-1", seeds: [sums([1, 2, 3])])
        for pair in [[a, b], [b, a]] {
            let error = #expect(throws: MetricsError.self) {
                try PairedBootstrap().intervals(pair, estimators: [mean])
            }
            #expect(
                error?.description.hasPrefix("base: has no answers for image image 2, which round-1 has;")
                    == true, "\(String(describing: error))")
        }
        #expect(throws: MetricsError.empty(where: "bootstrap")) {
            try PairedBootstrap().intervals([], estimators: [mean])
        }
        #expect(throws: MetricsError.self) {
            try PairedBootstrap(resamples: 0).intervals([a], estimators: [])
        }
    }
}

@Suite struct FormulaTests {
    private var sums: ClusteredSums {
        var sums = ClusteredSums()
        sums.add(["right": 3, "all": 4, "none": 0], to: "a")
        // A sum that is named later begins at 0 for the pictures before.
        sums.add(["right": 0, "all": 4, "late": 2], to: "b")
        return sums
    }

    @Test func aFigureFollowsFromNamedSums() {
        let (share, late) = (Formula.ratio("right", of: "all"), Formula.share("late", of: "all"))
        let values = sums.values(of: [
            share, .ratio("right", of: "none"), .share("right", of: "none"), .ratio("right", of: "unknown"),
            late, .sum([share, late]), .sum([share, .ratio("x", of: "y")]),
            .mean([share, .ratio("x", of: "y")]), .mean([.ratio("x", of: "y")]),
            .function(of: ["all", "late"]) { $0[0] - $0[1] }, nil,
        ])
        #expect(values == [0.375, 0, nil, nil, 0.25, 0.625, nil, 0.375, nil, 6, nil])
    }

    @Test func runsWithOtherSumsAreRefused() {
        var other = sums
        other.add(["more": 1], to: "a")
        let runs = [sums, other].map { BootstrapSystem(name: "x", seeds: [$0]) }
        #expect(throws: MetricsError.self) {
            try PairedBootstrap(resamples: 9).intervals(
                runs, estimators: [Estimator(name: "share", .ratio("right", of: "all"))])
        }
        #expect(throws: MetricsError.self) {
            try PairedBootstrap(resamples: 9).intervals(
                [runs[0]], estimators: [Estimator(name: "share", .ratio("right", of: "nothing"))])
        }
    }
}

@Suite struct ExactTestsTests {
    /// The tails were summed in exact fractions.
    @Test(arguments: [
        (0, 0, 1.0), (5, 0, 0.0625), (3, 3, 1.0), (2, 9, 0.0654296875), (10, 25, 0.01667384780012071),
    ])
    func mcNemarIsTheTwoSidedBinomial(_ b: Int, _ c: Int, _ p: Double) {
        #expect(abs(McNemarTest(onlyFirst: b, onlySecond: c).pValue - p) < 1e-8)
        #expect(abs(McNemarTest(onlyFirst: c, onlySecond: b).pValue - p) < 1e-8)
    }

    @Test func mcNemarSurvivesManyItems() {
        let p = McNemarTest(onlyFirst: 2_100, onlySecond: 1_900).pValue
        #expect(abs(p - 0.00164927) < 1e-8, "\(p)")
    }

    @Test func mcNemarCountsDiscordantItems() throws {
        let test = try McNemarTest(first: [true, true, false, false], second: [true, false, true, true])
        #expect(test == McNemarTest(onlyFirst: 1, onlySecond: 2))
        #expect(throws: MetricsError.self) { try McNemarTest(first: [true], second: []) }
    }

    /// Worked by hand: 4 · 0.005, 3 · 0.01, 2 · 0.03, and the last no smaller than the one before.
    @Test func holmStepsDown() {
        let adjusted = holm([0.01, 0.04, 0.03, 0.005])
        for (p, expected) in zip(adjusted, [0.03, 0.06, 0.06, 0.02]) { #expect(abs(p - expected) < 1e-15) }
        #expect(holm([0.7, 0.6]) == [1, 1])
        #expect(holm([]).isEmpty)
    }
}
