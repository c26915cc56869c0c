import Foundation
import Kernels
import OracleFixtures
import Testing

/// Families computed in bf16, against float64 over the same weights.
@Suite struct FamilyHalfPrecisionTests {
    /// By how much transformers in bf16 is off, over the tokens of an answer.
    private struct Errors: Decodable {
        let rms: Double
        let largest: Double

        /// `adapters/half.json` beside an oracle.
        init?(_ oracle: FamilyOracle) {
            let file = oracle.folder.deletingLastPathComponent().appendingPathComponent("adapters/half.json")
            guard let data = try? Data(contentsOf: file),
                let all = try? JSONDecoder().decode([String: Errors].self, from: data),
                let own = all[oracle.testDescription]
            else { return nil }
            self = own
        }
    }

    private static let oracles = FamilyOracle.all.filter { Errors($0) != nil }

    @Test func everyModelIsHeld() { #expect(Self.oracles.count >= 15) }

    @Test(arguments: oracles) func errorsAreWithinTwiceThoseOfTransformers(oracle: FamilyOracle) throws {
        let theirs = try #require(Errors(oracle))
        let logps = try oracle.answerLogProbabilities(oracle.model(.bf16))
        let errors = zip(logps, try oracle.expectation().answerLogps).map { Double($0) - $1 }
        let rms = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
        let largest = errors.map(abs).max() ?? .infinity
        #expect(rms > 0)
        #expect(rms <= 2 * theirs.rms, "\(rms) where transformers has \(theirs.rms)")
        #expect(largest <= 2 * theirs.largest, "\(largest) where transformers has \(theirs.largest)")
    }
}
