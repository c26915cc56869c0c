import PictureWorld
import Records
import Rewards

/// The scene behind a record's picture, held against texts about it.
struct SceneTruth {
    private let scene: Scene

    /// nil for a record that no scene of the picture world comes with.
    /// - Parameter isNeeded: whether a "scene" that can't be read is a fault; otherwise it is another's.
    /// - Throws: `SceneError`.
    init?(_ record: Record, isNeeded: Bool) throws {
        guard let value = record["scene"], value != .null else { return nil }
        guard isNeeded else {
            guard let scene = try? Scene(record: record) else { return nil }
            self.scene = scene
            return
        }
        scene = try Scene(record: record)
    }

    /// nil where nothing is false.
    func corrected(_ text: String) -> String? { scene.corrected(text) }

    func judgement(of text: String) -> TruthJudgement {
        let judged = scene.judge(text)
        return TruthJudgement(
            falseSentences: judged.falseSentences, inventedObjects: judged.invented.count,
            wrongAttributes: judged.wrongAttributes, words: text.split(whereSeparator: \.isWhitespace).count,
            namedObjects: judged.named.count)
    }
}
