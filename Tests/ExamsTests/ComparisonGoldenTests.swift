import Exams
import Foundation
import Metrics
import Testing

/// LLaVA-1.5-7B against itself after DPO on RLHF-V's data, on POPE's 9,000 questions. Expected is what an independent
/// computation gave: McNemar's test by `scipy.stats.binomtest`, and percentiles of 100,000 resamples of the 500 pictures
/// by numpy with another generator.
@Suite(
    .enabled(
        if: Golden.folder != nil && Golden.hasXZ,
        "SIGHTLINE_GOLDEN is not set, or there is no xz: 1 suite of a published comparison skipped"))
struct ComparisonGoldenTests {
    private func sheet(_ run: String, _ folder: String) throws -> ScoreSheet {
        func unpacked(_ name: String) throws -> String {
            let path = "\(folder)/\(name).jsonl"
            try Data(#require(try Golden.unpacked("pope-dpo/\(name).jsonl.xz"))).write(
                to: URL(filePath: path))
            return path
        }
        let file = ExamFile(try unpacked("questions"))
        return try OfficialScripts.sheet(POPE(), [file], answers: try unpacked(run))
    }

    @Test func meetsAnIndependentComputation() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/golden-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let runs = try ["baseline", "rlhfv"].map { (name: $0, sheets: [try sheet($0, folder)]) }
        let table = try ComparisonTable(runs: runs)
        #expect(table.images == 500)

        let tests = try #require(table.tests)
        let expected: [(split: String, base: Int, run: Int, p: Double, holm: Double)] = [
            ("random", 83, 102, 0.18555890492457636, 0.18555890492457636),
            ("popular", 83, 141, 0.000129153076885858, 0.000258306153771716),
            ("adversarial", 83, 203, 9.137610975116125e-13, 2.7412832925348372e-12),
        ]
        #expect(tests.map(\.split) == expected.map(\.split))
        for (test, known) in zip(tests, expected) {
            #expect(test.onlyBase == known.base && test.onlyRun == known.run)
            #expect(abs(test.pValue / known.p - 1) < 1e-9, "\(test.pValue)")
            #expect(abs(test.adjusted / known.holm - 1) < 1e-9, "\(test.adjusted)")
        }

        // The ends of an interval of 10,000 resamples vary by about 0.0003 from seed to seed; figures have steps of 1/3000.
        let intervals: [(key: String, difference: Double, lower: Double, upper: Double)] = [
            ("pope_random_accuracy", 0.006333, -0.002, 0.014667),
            ("pope_adversarial_accuracy", 0.04, 0.029667, 0.050333),
            ("pope_mean_accuracy", 0.021889, 0.014111, 0.029556),
            ("pope_mean_f1", 0.010696, 0.002809, 0.018348),
            ("pope_adversarial_precision", 0.084106, 0.071879, 0.096666),
            ("pope_random_recall", -0.055333, -0.066667, -0.044),
        ]
        for known in intervals {
            let own = try #require(table.rows.first { $0.name == known.key }).differences[0]
            #expect(abs(own.estimate - known.difference) < 1e-6, "\(known.key): \(own)")
            #expect(abs(own.lower - known.lower) < 0.001 && abs(own.upper - known.upper) < 0.001, "\(own)")
        }
        // All of these sentences begin with yes or no.
        let strict = try #require(table.strict)
        #expect(strict.count == 4)
        for own in strict {
            let official = own.name.replacing("_strict", with: "")
            #expect(own.differences == table.rows.first { $0.name == official }?.differences)
        }
    }
}
