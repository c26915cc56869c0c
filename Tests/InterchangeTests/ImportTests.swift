import Interchange
import Records
import Testing

/// Rows as others publish them.
struct ImportTests {
    private func imported(_ row: String, _ layout: PairLayout? = nil) throws -> Record {
        let row = try JSONObject(parsing: row)
        return try (layout ?? PairLayout(of: row)).pair(row, id: "n")
    }

    private static let llavaRLHF =
        #"{"id":"7","image":"1.jpg","conversations":[{"from":"human","value":"<image>\nWho?"}],"#
        + #""output_1":{"from":"llava","value":"one"},"output_2":{"from":"llava","value":"two"},"#
        + #""preference":2,"hallucination":true,"flip":false}"#

    @Test(arguments: [
        (
            // With the text's own JSON, as it lies on the Hub.
            #"{"ds_name":"RLHF-V","image":{"bytes":"x","path":null},"#
                + #""text":"{\"question\":\"Who?\",\"chosen\":\"A\",\"rejected\":\"B\"}","#
                + #""idx":9007199254740993,"image_path":"1.jpg"}"#,
            #"{"id":"n","image":"1.jpg","prompt":"Who?","chosen":"A","rejected":"B","source":"rlhf-v","#
                + #""ds_name":"RLHF-V","idx":9007199254740993}"#
        ),
        (
            #"{"question":"Who?","chosen":"A","rejected":"B","image":"1.jpg","image_path":"full/1.jpg"}"#,
            #"{"id":"n","image":"1.jpg","prompt":"Who?","chosen":"A","rejected":"B","source":"rlhf-v","#
                + #""image_path":"full/1.jpg"}"#
        ),
        (
            llavaRLHF,
            #"{"id":"n","image":"1.jpg","prompt":"Who?","chosen":"two","rejected":"one","#
                + #""source":"llava-rlhf","hallucination":true,"flip":false}"#
        ),
        (
            #"{"prompt":"Who?","chosen":"A","rejected":"B"}"#,
            #"{"id":"n","prompt":"Who?","chosen":"A","rejected":"B","source":"trl"}"#
        ),
        (
            #"{"prompt":[{"role":"user","content":[{"type":"image","text":null},{"type":"text","text":"Who?"}]}],"#
                + #""chosen":[{"role":"assistant","content":[{"type":"text","text":"A"}]}],"#
                + #""rejected":[{"role":"assistant","content":"B"}],"images":[{"bytes":null,"path":"1.jpg"}]}"#,
            #"{"id":"n","image":"1.jpg","prompt":"Who?","chosen":"A","rejected":"B","source":"trl"}"#
        ),
        (
            #"{"id":3,"image":"1.jpg","conversations":[{"from":"human","value":"Who?\n<image>"},"#
                + #"{"from":"gpt","value":"A"}],"rejected_conversations":[{"from":"human","value":"Who?\n<image>"},"#
                + #"{"from":"gpt","value":"B"}]}"#,
            #"{"id":"n","image":"1.jpg","prompt":"Who?","chosen":"A","rejected":"B","source":"llava"}"#
        ),
    ])
    func rowsBecomeRecords(row: String, expected: String) throws {
        #expect(try imported(row).text == expected)
    }

    /// Turns stay turns; an answer at the end is none of the two compared.
    @Test func earlierTurnsAreTheHistory() throws {
        let turns =
            #"[{"from":"human","value":"<image>\nWho?"},{"from":"gpt","value":"A man."},"#
            + #"{"from":"human","value":"Where?"},{"from":"gpt","value":"Here."}]"#
        let row = Self.llavaRLHF.replacing(#"[{"from":"human","value":"<image>\nWho?"}]"#, with: turns)
        let record = try imported(row)
        #expect(try record.string("prompt") == "Where?")
        #expect(try PreferencePair(record).history == [Turn(prompt: "Who?", answer: "A man.")])
    }

    @Test(arguments: TrainerFormat.allCases)
    func whatWasExportedComesBack(format: TrainerFormat) throws {
        let texts = ["Who?", " \"Straße\"\n\té\u{301} 🦜 {\"a\":[1]} ", "x", "a\u{2028}b"]
        for (index, text) in texts.enumerated() {
            var pair = Record()
            // The marker takes the white space at the ends of a question with it, so this has none.
            try PreferencePair(
                id: "n", image: index == 2 ? nil : "a b/ü.png", prompt: "Is \(text)?",
                history: index == 3 ? [Turn(prompt: "Who?", answer: "A man.")] : [], chosen: text,
                rejected: text + "!", margin: format == .msSwift ? 0.25 : nil, source: nil
            ).write(into: &pair)
            var back = try imported(try format.row(for: pair).row.text)
            #expect(try back.string("source") == format.rawValue)
            back.remove("source")
            #expect(try PreferencePair(back).history == PreferencePair(pair).history)
            back.remove("history")
            pair.remove("history")
            #expect(back == pair, "\(back.text)")
        }
    }

    @Test(arguments: [
        (#"{"question":"Q","chosen":"A","rejected":"B"}"#, "\"image\""),
        (llavaRLHF.replacing(#""image":"1.jpg","#, with: ""), "\"image\""),
        (llavaRLHF.replacing(#""preference":2"#, with: #""preference":3"#), "\"preference\" is 3"),
        (llavaRLHF.replacing(#""preference":2,"#, with: ""), "\"preference\" isn't there"),
        (llavaRLHF.replacing(#""value":"one""#, with: #""text":"one""#), "output_1: "),
        (llavaRLHF.replacing("human", with: "system"), "\"system\""),
        (llavaRLHF.replacing(#"<image>\n"#, with: "<image><image>"), "2 pictures"),
        (#"{"prompt":"Q<image>","chosen":"A","rejected":"B"}"#, "about a picture"),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","images":["1.png","2.png"]}"#, "2 pictures"),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","image":{"bytes":"x"}}"#, "the picture itself"),
        (#"{"prompt":"Q","chosen":[],"rejected":"B"}"#, "0 turns"),
        (#"{"prompt":[],"chosen":"A","rejected":"B"}"#, "a question stand last"),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","margin":"wide"}"#, "\"margin\""),
        (
            #"{"messages":[{"role":"user","content":"Q"}],"rejected_response":"B"}"#,
            "doesn't end with an answer"
        ),
        (
            #"{"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}],"#
                + #""rejected_response":"B","rejected_images":["2.png"]}"#, "rejected_images"
        ),
        (
            #"{"conversations":[{"from":"human","value":"Q"},{"from":"gpt","value":"A"}],"#
                + #""rejected_conversations":[{"from":"human","value":"R"},{"from":"gpt","value":"B"}]}"#,
            "another question"
        ),
        (#"{"text":"{\"question\":\"Q\"","image":"1.png"}"#, "text: byte "),
        (#"{"prompt":"Q","chosen":"A b","rejected":" A  b\n"}"#, "the same as"),
        (#"{"prompt":"Q","chosen":" ","rejected":"B"}"#, "\"chosen\" is empty"),
    ])
    func badRowsSayWhatToDo(row: String, says: String) {
        let error = #expect(throws: RecordError.self) { try imported(row) }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        #expect(error?.description.contains("; ") == true)
    }

    @Test func aRowThatNobodyKnowsNamesItsKeys() {
        let error = #expect(throws: UnknownLayout.self) { try imported(#"{"query":"Q","a":1}"#) }
        #expect(error?.description.contains("query, a") == true)
    }
}
