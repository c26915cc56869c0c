import JSON
import PairFormats
import Records
import Testing

/// Rows as others publish them.
struct ImportTests {
    private func imported(_ row: String, _ layout: PairLayout? = nil) throws -> Record {
        let row = try JSONObject(parsing: row)
        return try (layout ?? PairLayout(of: row)).pair(row, id: "n")
    }

    private static let system = #"[{"from":"system","value":"Be kind."}"#

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
        (
            #"{"messages":[{"role":"user","content":"<image>Who?"},{"role":"assistant","content":"A"}],"#
                + #""rejected_messages":[{"role":"user","content":"<image>Who?"},"#
                + #"{"role":"assistant","content":"B"}],"images":["1.jpg"]}"#,
            #"{"id":"n","image":"1.jpg","prompt":"Who?","chosen":"A","rejected":"B","source":"ms-swift"}"#
        ),
        (
            #"{"messages":[{"role":"user","content":"<image>Who?"}],"chosen":{"role":"assistant","content":"A"},"#
                + #""rejected":{"role":"assistant","content":"B"},"images":["1.jpg"]}"#,
            #"{"id":"n","image":"1.jpg","prompt":"Who?","chosen":"A","rejected":"B","source":"llamafactory"}"#
        ),
        (
            // TRL's implicit prompt
            #"{"chosen":[{"role":"user","content":"Who?"},{"role":"assistant","content":"A"}],"#
                + #""rejected":[{"role":"user","content":"Who?"},{"role":"assistant","content":"B"}]}"#,
            #"{"id":"n","prompt":"Who?","chosen":"A","rejected":"B","source":"trl"}"#
        ),
        (
            // hh-rlhf's texts
            #"{"chosen":"\n\nHuman: Hi!\n\nBye?\n\nAssistant: No.\n\nHuman: Who?\n\nAssistant: A","#
                + #""rejected":"\n\nHuman: Hi!\n\nBye?\n\nAssistant: No.\n\nHuman: Who?\n\nAssistant: B\n\n2"}"#,
            #"{"id":"n","prompt":"Who?","chosen":"A","rejected":"B\n\n2","source":"trl","#
                + #""history":[{"prompt":"Hi!\n\nBye?","answer":"No."}]}"#
        ),
        (
            #"{"prompt":"\n\nHuman: Who?\n\nAssistant:","chosen":" A","rejected":" B"}"#,
            #"{"id":"n","prompt":"Who?","chosen":" A","rejected":" B","source":"trl"}"#
        ),
        (
            // Alpaca's, as LLaMA-Factory reads it
            #"{"instruction":"Name it.","input":"<image>Who?","chosen":"A","rejected":"B","history":[["Q","R"]],"#
                + #""images":["1.jpg"],"n":1}"#,
            #"{"id":"n","image":"1.jpg","prompt":"Name it.\nWho?","chosen":"A","rejected":"B","source":"alpaca","#
                + #""history":[{"prompt":"Q","answer":"R"}],"n":1}"#
        ),
        (
            #"{"prompt":"Who?","chosen":"A","rejected":"B","image":["data:image/png;base64,AA=="]}"#,
            #"{"id":"n","image":"data:image/png;base64,AA==","prompt":"Who?","chosen":"A","rejected":"B","#
                + #""source":"trl"}"#
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

    private static let badRows: [(row: String, says: String)] = [
        (#"{"question":"Q","chosen":"A","rejected":"B"}"#, "\"image\""),
        (llavaRLHF.replacing(#""image":"1.jpg","#, with: ""), "\"image\""),
        (llavaRLHF.replacing(#""preference":2"#, with: #""preference":3"#), "\"preference\" is 3"),
        (llavaRLHF.replacing(#""preference":2,"#, with: ""), "\"preference\" isn't there"),
        (llavaRLHF.replacing(#""value":"one""#, with: #""text":"one""#), "output_1: "),
        (llavaRLHF.replacing("human", with: "tool"), "\"tool\""),
        (llavaRLHF.replacing(#"[{"from":"human""#, with: system + #",{"from":"human""#), "--system drop"),
        (#"{"system":"Be kind.","prompt":"Q","chosen":"A","rejected":"B"}"#, "--system drop"),
        (#"{"chosen":"Q A","rejected":"Q B"}"#, "an answer without its question"),
        (#"{"chosen":"\n\nHuman: Q","rejected":"\n\nHuman: Q"}"#, "doesn't end with an answer"),
        (
            #"{"instruction":"Q","chosen":"A","rejected":"B","history":["R"]}"#,
            "a round that isn't a question"
        ),
        (
            #"{"chosen":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}],"#
                + #""rejected":[{"role":"user","content":"R"},{"role":"assistant","content":"B"}]}"#,
            "another question"
        ),
        (
            #"{"prompt":"Q","chosen":"A","rejected":"B","images":["https://h.org/1.png"]}"#,
            "download it"
        ),
        (llavaRLHF.replacing(#"<image>\n"#, with: "<image><image>"), "2 pictures"),
        (#"{"prompt":"Q<image>","chosen":"A","rejected":"B"}"#, "about a picture"),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","images":["1.png","2.png"]}"#, "2 pictures"),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","image":{"bytes":"x"}}"#, "the picture itself"),
        (#"{"prompt":"Q","chosen":[],"rejected":"B"}"#, "0 turns"),
        (#"{"prompt":[],"chosen":"A","rejected":"B"}"#, "end with a question"),
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
    ]

    /// What would be lost or misread.
    private static let lossyRows: [(row: String, says: String)] = [
        (
            #"{"prompt":"\n\nHuman: hi\n\nAssistant: ","chosen":"\n\nHuman: hi\n\nAssistant: good","#
                + #""rejected":"\n\nHuman: hi\n\nAssistant: bad"}"#,
            "\"chosen\" is a whole conversation beside its prompt"
        ),
        (
            #"{"prompt":"Q","chosen":"A","rejected":"\n\nAssistant: B"}"#,
            "\"rejected\" is a whole conversation"
        ),
        (
            #"{"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}],"#
                + #""rejected_response":"\n\nAssistant: B"}"#,
            "\"rejected_response\" is a whole conversation"
        ),
        (llavaRLHF.replacing("two", with: #"\n\nAssistant: two"#), "output_2: wrong value: key \"value\""),
        (
            #"{"instruction":"\n\nHuman: hi\n\nAssistant: ","chosen":"A","rejected":"B"}"#,
            "\"instruction\" is a whole conversation"
        ),
        (llavaRLHF.replacing(#""flip":false"#, with: #""prompt":"Where?""#), "\"prompt\" is another one"),
        (llavaRLHF.replacing(#""flip":false"#, with: #""rejected":"x""#), "\"rejected\" is another one"),
        (
            #"{"instruction":"Q","chosen":"A","rejected":"B","history":[["Q","R"]],"images":["1.png"],"#
                + #""image":"2.png"}"#, "\"images\" is \"1.png\", and \"image\" is \"2.png\""
        ),
        (
            #"{"prompt":[{"role":"user","content":"P"},{"role":"assistant","content":"R"},"#
                + #"{"role":"user","content":"Q"}],"chosen":"A","rejected":"B","#
                + #""history":[{"prompt":"x","answer":"y"}]}"#, "\"history\" is another one"
        ),
        (#"{"prompt":"Q","chosen":{"from":"human","value":"A"},"rejected":"B"}"#, "an answer's place"),
        (#"{"prompt":"Q","chosen":[{"role":"user","content":"A"}],"rejected":"B"}"#, "an answer's place"),
        (
            #"{"prompt":"Q","chosen":{"role":"assistant","content":"","tool_calls":[{"id":"1"}]},"rejected":"B"}"#,
            "calls of tools"
        ),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","videos":["1.mp4"]}"#, "only pictures are read"),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","audio":{"path":"1.wav"}}"#, "only pictures are read"),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","rejected_image":"2.png"}"#, "rejected_image"),
        (#"{"prompt":"Q","chosen":"A","rejected":"B","file_name":"2.png"}"#, "rename the key"),
    ]

    @Test(arguments: badRows + lossyRows)
    func badRowsSayWhatToDo(row: String, says: String) {
        let error = #expect(throws: RecordError.self) { try imported(row) }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        #expect(error?.description.contains("; ") == true)
    }

    /// A system turn is none of the pair's: it is left out, or stands before the first question.
    @Test(arguments: [
        (SystemRule.drop, "Who?"), (.prepend, "Be kind.\n\nWho?"),
    ])
    func systemTurnsAreWhatIsSaid(rule: SystemRule, question: String) throws {
        let turns = Self.llavaRLHF.replacing(
            #"[{"from":"human""#, with: Self.system + #",{"from":"human""#)
        let key = Self.llavaRLHF.replacing(#"{"id""#, with: #"{"system":"Be kind.","id""#)
        for row in [turns, key] {
            let row = try JSONObject(parsing: row)
            let record = try PairLayout(of: row).pair(row, id: "n", system: rule)
            #expect(try record.string("prompt") == question && record["system"] == nil)
        }
    }

    private static let dialogue =
        #"{"id":7,"image":"1.jpg","conversations":[{"from":"human","value":"<image>\nWho?"},"#
        + #"{"from":"gpt","value":"A man."},{"from":"human","value":"Where?"},{"from":"gpt","value":"Here."}],"n":1}"#

    /// LLaVA's instructions, as its own files, ms-swift, LLaMA-Factory and TRL have them.
    @Test(arguments: [
        (dialogue, "A man.", 2),
        (
            dialogue.replacing("conversations", with: "messages").replacing("from", with: "role")
                .replacing("value", with: "content").replacing("human", with: "user")
                .replacing("gpt", with: "assistant").replacing(
                    #""image":"1.jpg""#, with: #""images":["1.jpg"]"#),
            "A man.", 2
        ),
        (
            #"{"image":"1.jpg","prompt":[{"role":"user","content":"<image>\nWho?"}],"#
                + #""completion":[{"role":"assistant","content":"A man."}],"n":1}"#, "A man.", 1
        ),
    ])
    func instructionsBecomePromptsAndLessons(row: String, reference: String, count: Int) throws {
        let row = try InstructionRow(JSONObject(parsing: row))
        #expect(
            try row.prompt(id: "n").text
                == #"{"id":"n","image":"1.jpg","prompt":"Who?","reference":"\#(reference)","n":1}"#)
        let second =
            #",{"prompt":"Where?","answer":"Here.","history":[{"prompt":"Who?","answer":"A man."}]}"#
        #expect(
            try row.lesson(id: "n").text
                == #"{"id":"n","image":"1.jpg","samples":[{"prompt":"Who?","answer":"A man."}"#
                + (count > 1 ? second : "") + #"],"n":1}"#)
    }

    private static let badInstructions: [(row: String, says: String)] = [
        (dialogue.replacing("<image>", with: "<image><image>"), "about 2 pictures"),
        (dialogue.replacing(#""image":"1.jpg","#, with: ""), "name the picture's file"),
        (dialogue.replacing("A man.", with: " "), #"samples[0]: wrong value: key "answer" is empty"#),
        (dialogue.replacing("gpt", with: "human"), "must alternate"),
        (#"{"conversations":[{"from":"human","value":"Who?"}]}"#, "use --to prompts"),
        (#"{"conversations":[]}"#, "beginning with a question"),
    ]

    private static let lossyInstructions: [(row: String, says: String)] = [
        (
            dialogue.replacing(#",{"from":"gpt","value":"Here."}"#, with: ""), "a question without answer"
        ),
        (dialogue.replacing(#""n":1"#, with: #""prompt":"Why?""#), "\"prompt\" is another one"),
        (dialogue.replacing(#""n":1"#, with: #""reference":"x""#), "\"reference\" is another one"),
        (dialogue.replacing(#""n":1"#, with: #""samples":[1]"#), "\"samples\" is another one"),
        (dialogue.replacing(#""n":1"#, with: #""history":[["Q","R"]]"#), "\"history\" is another one"),
        (dialogue.replacing(#""n":1"#, with: #""images":["2.jpg"]"#), "keep one of the two keys"),
        (dialogue.replacing(#""n":1"#, with: #""videos":["2.mp4"]"#), "only pictures are read"),
        (
            #"{"conversations":[{"from":"human","value":"Q"},{"from":"gpt","value":"A"}],"file_name":"1.png"}"#,
            "rename the key"
        ),
        (dialogue.replacing(#""A man.""#, with: #""A man.","loss":false"#), "\"loss\" is false"),
        (dialogue.replacing(#""A man.""#, with: #""A man.","tool_calls":[{}]"#), "calls of tools"),
        (#"{"prompt":"Q","completion":"A","label":false}"#, "\"label\" is false"),
        (
            #"{"prompt":"Q","completion":"\n\nHuman: Q\n\nAssistant: A"}"#,
            "\"completion\" is a whole conversation"
        ),
        (#"{"prompt":"Q","completion":{"from":"human","value":"A"}}"#, "an answer's place"),
        (#"{"instruction":"Q","output":"\n\nAssistant: A"}"#, "\"output\" is a whole conversation"),
        (#"{"instruction":"\n\nHuman: Q\n\nAssistant: ","output":"A"}"#, "\"instruction\" is a whole"),
    ]

    @Test(arguments: badInstructions + lossyInstructions)
    func badInstructionsSayWhatToDo(row: String, says: String) {
        let error = #expect(throws: RecordError.self) {
            try InstructionRow(JSONObject(parsing: row)).lesson(id: "n")
        }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }

    /// The prompt is the question that the row answers, wherever its earlier turns stand.
    @Test(arguments: [
        #"{"instruction":"Where?","output":"Here.","history":[["Who?","A man."]],"label":true,"videos":[]}"#,
        #"{"prompt":[{"role":"user","content":"Who?"},{"role":"assistant","content":"A man.","tool_calls":null},"#
            + #"{"role":"user","content":"Where?"}],"completion":"Here.","label":true,"videos":[]}"#,
    ])
    func earlierRoundsOfPromptsAreHistory(row: String) throws {
        #expect(
            try InstructionRow(JSONObject(parsing: row)).prompt(id: "n").text
                == #"{"id":"n","prompt":"Where?","reference":"Here.","#
                + #""history":[{"prompt":"Who?","answer":"A man."}],"label":true,"videos":[]}"#)
    }

    /// What stands twice with one value is said once.
    @Test func theSameBesidesIsNoContradiction() throws {
        let row = Self.llavaRLHF.replacing(
            #""flip":false"#, with: #""prompt":"Who?","chosen":null,"rejected":"","images":["1.jpg"]"#)
        #expect(
            try imported(row).text
                == #"{"id":"n","image":"1.jpg","prompt":"Who?","chosen":"two","rejected":"one","#
                + #""source":"llava-rlhf","hallucination":true}"#)
    }

    @Test func instructionsAreNoPairs() {
        let error = #expect(throws: UnknownLayout.self) { try imported(Self.dialogue) }
        #expect(error?.description.contains("use --to prompts or --to lessons") == true)
    }

    @Test func aRowThatNobodyKnowsNamesItsKeys() {
        let error = #expect(throws: UnknownLayout.self) { try imported(#"{"query":"Q","a":1}"#) }
        #expect(error?.description.contains("query, a") == true)
    }
}
