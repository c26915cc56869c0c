import PictureWorld
import Preference
import Records

/// The scene behind a record's picture, held against texts about it.
struct SceneTruth {
    private let scene: Scene

    /// nil for a record that no scene of the picture world comes with; another's "scene" is not ours to read.
    init?(_ record: Record) {
        guard record["scene"] != nil, let scene = try? Scene(record: record) else { return nil }
        self.scene = scene
    }

    /// nil where nothing is false.
    func corrected(_ text: String) -> String? { scene.corrected(text) }

    func judgement(of text: String) -> TruthJudgement {
        let sentences = Lexer.sentences(of: text).map { ParsedSentence($0) }
        let judged = sentences.map { scene.judge($0) }
        let mentions = judged.flatMap(\.mentions)
        let wrong = mentions.filter(\.isPresent).reduce(0) { count, mention in
            count
                + [mention.isColourRight, mention.isSizeRight, mention.isPlaceRight, mention.isCountRight]
                .count { $0 == false }
        }
        let named = sentences.flatMap(\.claims).filter { !$0.isDenied && scene.has($0.category) }
        return TruthJudgement(
            falseSentences: judged.count { $0.verdict == .false },
            inventedObjects: mentions.count { !$0.isPresent }, wrongAttributes: wrong,
            words: text.split(whereSeparator: \.isWhitespace).count,
            namedObjects: Set(named.map(\.category)).count)
    }
}
