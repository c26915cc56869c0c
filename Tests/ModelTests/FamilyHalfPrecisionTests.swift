import Foundation
import Kernels
import OracleFixtures
import Testing

/// Families computed in bf16, against float64 over the same weights.
@Suite struct FamilyHalfPrecisionTests {
    /// By how much transformers in bf16 is off, over the tokens of an answer (`families/adapters/half.json`).
    private struct Errors: Decodable {
        let rms: Double
        let largest: Double
    }

    private static let names: [String] = (try? errors().keys.sorted()) ?? []

    private static func errors() throws -> [String: Errors] {
        let file = Oracle.root.appendingPathComponent("families/adapters/half.json")
        return try JSONDecoder().decode([String: Errors].self, from: Data(contentsOf: file))
    }

    @Test func everyModelIsHeld() {
        let own = FamilyOracle.all.map(\.testDescription)
        #expect(Self.names.count == 12 && Self.names.allSatisfy(own.contains))
    }

    @Test(arguments: names) func errorsAreWithinTwiceThoseOfTransformers(name: String) throws {
        let (oracle, theirs) = (FamilyOracle.named(name), try #require(Self.errors()[name]))
        let logps = try oracle.answerLogProbabilities(oracle.model(.bf16))
        let errors = zip(logps, try oracle.expectation().answerLogps).map { Double($0) - $1 }
        let rms = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
        let largest = errors.map(abs).max() ?? .infinity
        #expect(rms > 0)
        #expect(rms <= 2 * theirs.rms, "\(rms) where transformers has \(theirs.rms)")
        #expect(largest <= 2 * theirs.largest, "\(largest) where transformers has \(theirs.largest)")
    }
}
