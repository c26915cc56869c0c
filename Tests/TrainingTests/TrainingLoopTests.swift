import Foundation
import Kernels
import Model
import OracleFixtures
import Testing
import Training

private struct Interrupted: Error {}

@Suite struct TrainingLoopTests {
    private let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    /// Trains six steps, stopping before `stop` if one is given.
    /// - Returns: the adapter's values, and the log.
    private func train(
        _ directory: URL, resume: Bool, stop: Int? = nil, identity: String = "run", spoil: Int? = nil,
        peak: Double = 2e-3
    ) throws -> (values: [[Float]], log: Data, nothing: NothingLearned?) {
        let (model, bare) = try DirectPreferenceTests.start()
        let trainer = GroupTrainer(model.decoder, PreferenceLoss())
        let pairs = DirectPreferenceTests.compared(bare, trainer)
        let loop = TrainingLoop(
            optimizer: AdamW(model.decoder.adapterParameters, AdamW.Settings()),
            schedule: Schedule(shape: .cosine, peak: peak, warmup: 1, steps: 6), directory: directory,
            saveEvery: 2, identity: identity,
            weightsChanged: { model.decoder.linears.forEach { $0.weightsChanged() } })
        let nothing = try loop.run(resume: resume, report: { _, _ in }) { step in
            if step == stop { throw Interrupted() }
            let range = 2 * step..<2 * step + 2
            var metrics = trainer.addGradients(Array(pairs[range]))
            if step == spoil { metrics[0].value = .nan }
            return (metrics, pairs[range].map(\.id))
        }
        return (
            model.decoder.adapterParameters.map(\.value.values),
            try Data(contentsOf: directory.appendingPathComponent("metrics.jsonl")), nothing
        )
    }

    /// Killed between checkpoints and taken up again: the same bytes.
    @Test(arguments: [1, 3, 4, 5]) func resumes(stop: Int) throws {
        defer { try? FileManager.default.removeItem(at: place) }
        let whole = try train(place.appendingPathComponent("whole"), resume: false)
        let cut = place.appendingPathComponent("cut")
        #expect(throws: Interrupted.self) { try train(cut, resume: false, stop: stop) }
        let resumed = try train(cut, resume: true)
        #expect(resumed.values == whole.values)
        #expect(resumed.log == whole.log)
        #expect(whole.log.split(separator: UInt8(ascii: "\n")).count == 6)
    }

    /// A checkpoint just before the end has learned; a rate of 0, from its beginning or resumed, has not.
    @Test func saysWhenNothingIsLearned() throws {
        defer { try? FileManager.default.removeItem(at: place) }
        #expect(throws: Interrupted.self) { try train(place, resume: false, stop: 5) }
        #expect(try train(place, resume: true).nothing == nil)
        #expect(throws: Interrupted.self) { try train(place, resume: false, stop: 3, peak: 0) }
        for resume in [true, false] {
            let nothing = try train(place, resume: resume, peak: 0).nothing
            #expect(nothing?.description.hasPrefix("6 steps changed no weight: ") == true)
        }
    }

    @Test func refusesAnotherRunsCheckpoint() throws {
        defer { try? FileManager.default.removeItem(at: place) }
        #expect(throws: Interrupted.self) { try train(place, resume: false, stop: 3) }
        #expect(throws: TrainingStateError.self) { try train(place, resume: true, identity: "other") }
    }

    @Test func stopsAtNoNumber() throws {
        defer { try? FileManager.default.removeItem(at: place) }
        let error = #expect(throws: NotFinite.self) { try train(place, resume: false, spoil: 1) }
        #expect(error?.description.contains("step 2") == true)
        #expect(error?.records.count == 2)
        #expect(error?.description.hasSuffix("or look at those records") == true)
    }
}
