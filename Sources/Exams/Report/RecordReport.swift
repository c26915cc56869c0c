import Records

extension PictureReport {
    /// The report of a record that `sample` and `calibrate` went over, with the pairs made of it.
    ///
    /// - Parameters:
    ///   - image: the picture's bytes, read by the caller, who knows the image root; nil shows none.
    ///   - truth: what is known of the picture, in words, where the record carries a `scene`.
    ///   - judge: says what a text gets wrong about the record's picture; nil where nothing is known.
    /// - Throws: `RecordError` for a record that holds no sample.
    package init(
        record: Record, pairs: [PreferencePair], image: EmbeddedImage?, truth: String? = nil,
        judge: (_ record: Record, _ text: String) throws -> TextJudgement? = { _, _ in nil }
    ) throws {
        let prompt = try Prompt(record)
        let sample = try Sample(record)
        self.init(
            id: prompt.id, image: image, prompt: prompt.prompt, truth: truth,
            sentences: try sample.nodes.map { node in
                SentenceReport(
                    parent: node.parent, text: node.text, reward: node.scores["calibrated"],
                    figures: node.scores.entries.filter { $0.name != "calibrated" }
                        .map { ($0.name, $0.value) },
                    judgement: try judge(record, node.text))
            },
            answers: sample.candidates.map {
                AnswerReport(id: $0.id, text: $0.text, path: $0.path, score: $0.scores["calibrated"])
            },
            pairs: try pairs.map { pair in
                PairReport(
                    id: pair.id, chosen: pair.chosen, rejected: pair.rejected, margin: pair.margin,
                    chosenJudgement: try judge(record, pair.chosen),
                    rejectedJudgement: try judge(record, pair.rejected))
            })
    }
}
