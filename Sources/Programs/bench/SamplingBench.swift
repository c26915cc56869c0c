import Decoding
import Kernels
import Model

/// `sample`: answers of every prompt at temperature 1, pictures read and encoded in the measured time. Nothing
/// ends an answer early, so that all have the same length.
struct SamplingBench {
    static let answers = 5
    private let workload: Workload
    private let prompts: ArraySlice<Workload.Prompt>
    /// Remembers no picture, so that each is encoded in every run.
    private let pictures: PictureCache
    private let grower: Grower

    init(_ workload: Workload, prompts: Int) {
        self.workload = workload
        self.prompts = workload.prompts.prefix(prompts)
        pictures = PictureCache(workload.model, memory: 0)
        let plan = GrowthPlan(
            samplers: Array(repeating: Sampler(temperature: 1), count: Self.answers), stops: [],
            maxTokens: Workload.answerTokens, seed: 1)
        grower = Grower(
            model: workload.model.decoder, plan: plan, memory: 4 << 30,
            longestPrompt: self.prompts.map(\.tokens.count).max() ?? 0, records: prompts)
    }

    /// New tokens per second of one turn; the first warms up.
    func turn() throws -> Double {
        let tokens = prompts.count * Self.answers * Workload.answerTokens
        return Double(tokens) / (try wallSeconds(sample))
    }

    private func sample() throws {
        let shown = try pictures.pictures(at: prompts.map(\.image))
        let requests = zip(prompts, shown).map { prompt, picture in
            GrowthRequest(id: prompt.id, tokens: prompt.tokens, picture: picture)
        }
        let grown = try grower.grow(requests) { _, _, _ in [] }
        let drawn = grown.joined().reduce(0) { $0 + $1.tokens.count }
        let expected = prompts.count * Self.answers * Workload.answerTokens
        guard drawn == expected else {
            throw BenchError(
                place: "sample", finding: "\(drawn) tokens were drawn, not \(expected)",
                remedy: "mend the bench")
        }
    }
}
