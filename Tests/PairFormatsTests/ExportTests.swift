import JSON
import PairFormats
import Records
import Testing

/// Rows as each trainer's documentation has them.
struct ExportTests {
    private static let pair =
        #"{"id":"p1","image":"coco/1.jpg","prompt":"Describe.","chosen":"A","rejected":"B","margin":0.5}"#

    private func row(_ pair: String, _ format: TrainerFormat) throws -> (row: JSONObject, lost: [String]) {
        try format.row(for: Record(parsing: pair))
    }

    @Test(arguments: [
        (
            TrainerFormat.trl,
            #"{"images":["coco/1.jpg"],"prompt":[{"role":"user","content":"Describe."}],"#
                + #""chosen":[{"role":"assistant","content":"A"}],"rejected":[{"role":"assistant","content":"B"}]}"#
        ),
        (
            .msSwift,
            #"{"messages":[{"role":"user","content":"<image>Describe."},{"role":"assistant","content":"A"}],"#
                + #""rejected_response":"B","images":["coco/1.jpg"],"margin":0.5}"#
        ),
        (
            .llamafactory,
            #"{"conversations":[{"from":"human","value":"<image>Describe."}],"#
                + #""chosen":{"from":"gpt","value":"A"},"rejected":{"from":"gpt","value":"B"},"images":["coco/1.jpg"]}"#
        ),
        (
            .llava,
            #"{"id":"p1","image":"coco/1.jpg","#
                + #""conversations":[{"from":"human","value":"<image>\nDescribe."},{"from":"gpt","value":"A"}],"#
                + #""rejected_conversations":[{"from":"human","value":"<image>\nDescribe."},{"from":"gpt","value":"B"}]}"#
        ),
    ])
    func rowsAreTheTrainers(format: TrainerFormat, expected: String) throws {
        #expect(try row(Self.pair, format).row.text == expected)
    }

    @Test(arguments: [
        (TrainerFormat.trl, ["id", "margin", "scene", "weights"]),
        (.llamafactory, ["id", "margin", "scene", "weights"]), (.msSwift, ["id", "scene", "weights"]),
        (.llava, ["margin", "scene", "weights"]),
    ])
    func whatHasNoPlaceIsNamed(format: TrainerFormat, lost: [String]) throws {
        let more = Self.pair.dropLast() + #","scene":{},"source":null,"weights":{"chosen":[[0,1,5]]}}"#
        #expect(try row(String(more), format).lost == lost)
    }

    /// No trainer can be told that an answer doesn't end where it breaks off.
    @Test(arguments: TrainerFormat.allCases)
    func brokenOffAnswersAreRefused(format: TrainerFormat) {
        #expect(throws: RecordError.self) { try row(Self.pair.dropLast() + #","partial":true}"#, format) }
    }

    /// A marker with no picture behind it would stop a trainer, or shift the pictures of a batch.
    @Test(arguments: [
        (TrainerFormat.trl, #""images":[],"#), (.msSwift, #"{"role":"user","content":"Why?"}"#),
        (.llamafactory, #"[{"from":"human","value":"Why?"}]"#), (.llava, #"{"from":"human","value":"Why?"}"#),
    ])
    func withoutAPictureThereIsNoMarker(format: TrainerFormat, part: String) throws {
        let text = try row(#"{"id":"t","prompt":"Why?","chosen":"A","rejected":"B"}"#, format).row.text
        #expect(text.contains(part), "\(text)")
        #expect(!text.contains("<image>") && !text.contains(#""image":"#))
    }

    @Test func aMarkerInTheQuestionIsNotWrittenTwice() throws {
        let marked = Self.pair.replacing("Describe.", with: #"<image>\nDescribe."#)
        for format in TrainerFormat.allCases {
            #expect(try row(marked, format).row == row(Self.pair, format).row)
        }
    }

    @Test(arguments: ["<image>", "</s>", "<|im_end|>"]) func aTokenInAnAnswerIsRefused(token: String) {
        let error = #expect(throws: RecordError.self) {
            try row(Self.pair.replacing(#""B""#, with: #""B\#(token)""#), .trl)
        }
        #expect(error?.description.contains("\"rejected\" is an answer with \(token) in it") == true)
    }

    @Test(arguments: [
        (
            TrainerFormat.trl,
            #""prompt":[{"role":"user","content":"Who?"},{"role":"assistant","content":"A man."},"#
                + #"{"role":"user","content":"Describe."}]"#
        ),
        (
            .llava,
            #""conversations":[{"from":"human","value":"<image>\nWho?"},{"from":"gpt","value":"A man."},"#
                + #"{"from":"human","value":"Describe."},{"from":"gpt","value":"A"}]"#
        ),
    ])
    func turnsStayTurns(format: TrainerFormat, part: String) throws {
        let pair = Self.pair.dropLast() + #","history":[{"prompt":"<image>Who?","answer":"A man."}]}"#
        let (row, lost) = try row(String(pair), format)
        #expect(row.text.contains(part), "\(row.text)")
        #expect(!lost.contains("history"))
    }
}
