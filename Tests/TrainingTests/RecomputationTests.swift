import Kernels
import Model
import Testing
import Training

/// Layers that are computed again in the backward pass instead of kept.
@Suite struct RecomputationTests {
    @Test(arguments: [8192, 40]) func gradientsKeepTheirBits(rows: Int) throws {
        let results = try [false, true].map { recomputes in
            let (model, pairs) = try DirectPreferenceTests.start()
            let trainer = GroupTrainer(
                model.decoder, PreferenceLoss(), passes: .rows(rows), recomputes: recomputes)
            let metrics = trainer.addGradients(DirectPreferenceTests.compared(pairs, trainer))
            return (
                metrics.map(\.value), model.decoder.adapterParameters.map { $0.gradient?.values ?? [] }
            )
        }
        #expect(results[0].0 == results[1].0)
        #expect(results[0].1 == results[1].1)
        #expect(results[0].1.contains { $0.contains { $0 != 0 } })
    }
}
