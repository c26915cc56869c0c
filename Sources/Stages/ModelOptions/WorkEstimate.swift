import Decoding
import Kernels
import Model
import StageKit

/// About how long records will take, for a rehearsal: what they ask of the model, times what that takes here.
package struct WorkEstimate {
    private let model: VisionLanguageModel
    package private(set) var records = 0
    /// Rows of the longest record.
    package private(set) var longest = 0
    /// Rows that the decoder reads.
    private var rows = 0
    private var pictures: Set<String> = []
    /// Rows that the tower reads of all pictures, each counted once.
    private var towerRows = 0

    package init(_ model: VisionLanguageModel) { self.model = model }

    /// - Parameters:
    ///   - rows: of a record's prompt and of what else is read with it, the picture's among them.
    ///   - path: of its picture.
    /// - Throws: `ImageError`.
    package mutating func add(rows: Int, picture path: String?) throws {
        records += 1
        longest = max(longest, rows)
        self.rows += rows
        guard let path, pictures.insert(path).inserted else { return }
        towerRows += model.family.towerRows(of: try model.shape(at: path))
    }

    /// Says how long reading takes, and drawing where something is drawn.
    ///
    /// - Parameters:
    ///   - tokens: of an answer at most, one drawn after the other.
    ///   - streams: tokens of a record that are drawn together.
    ///   - atOnce: records whose tokens are drawn together.
    package func say(drawing tokens: Int = 0, streams: Int = 1, atOnce: Int = 1, _ run: StageRun) throws {
        let pace = try Pace(model.decoder)
        let reading = pace.reading()
        var parts = [("prompts", Double(rows) * reading)]
        if tokens > 0 {
            let atOnce = max(1, min(atOnce, records))
            // More than some streams take proportionally longer.
            let measured = min(streams * atOnce, 256)
            let step = try pace.drawing(streams: measured) * Double(streams * atOnce) / Double(measured)
            let steps = (records + atOnce - 1) / atOnce * tokens
            parts.append(("answers of \(tokens) tokens", Double(steps) * step))
        }
        say(parts, reading, run)
    }

    /// Says how long a training takes.
    ///
    /// - Parameters:
    ///   - rank: of the adapter that learns; nil where all weights do.
    ///   - epochs: how often each record is trained on.
    ///   - readsReference: whether each is read once before, without the adapter.
    ///   - towerPasses: over each picture; a pass back counts two.
    package func say(
        training rank: Int?, epochs: Double, recomputes: Bool, readsReference: Bool = false,
        towerPasses: Double = 1, _ run: StageRun
    ) throws {
        let pace = try Pace(model.decoder)
        let reading = pace.reading()
        var parts: [(String, Double)] = []
        if readsReference { parts.append(("reference", Double(rows) * reading)) }
        let training = pace.training(rank: rank, recomputes: recomputes)
        parts.append(("training", Double(rows) * epochs * training))
        say(parts, reading, towerPasses: towerPasses, run)
    }

    private func say(
        _ parts: [(name: String, seconds: Double)], _ reading: Double, towerPasses: Double = 1,
        _ run: StageRun
    ) {
        func elements(_ linears: [Linear]) -> Double {
            Double(linears.reduce(0) { $0 + $1.inputs * $1.outputs })
        }
        let decoder = elements(model.decoder.linears)
        let tower =
            (elements(model.family.linears) - decoder) / decoder * Double(towerRows) * reading * towerPasses
        let all = (pictures.isEmpty ? [] : [("\(pictures.count) pictures", tower)]) + parts
        let list = all.map { "\($0.0) \(Self.about($0.1))" }.joined(separator: ", ")
        run.console.say("time: about \(Self.about(all.reduce(0) { $0 + $1.1 })) (\(list))")
    }

    /// `40 s`, `12 min`, `3 h 10 min`
    static func about(_ seconds: Double) -> String {
        if seconds < 100 { return "\(max(1, Int(seconds.rounded()))) s" }
        let minutes = Int((seconds / 60).rounded())
        return minutes < 100 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }
}
