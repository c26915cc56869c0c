import Foundation
import Testing

/// Pairs on their way to other tools and back, and pairs of a person's own.
struct ExchangeTests {
    /// `pairs.jsonl` with as many pairs about the oracle's pictures.
    private func workshop(pairs count: Int) throws -> Workshop {
        let shop = try Workshop()
        let lines = (0..<count).map { number in
            #"{"id":"p\#(number)","image":"pictures/picture-\#(number % 4).png","prompt":"What is \#(number)?","#
                + #""chosen":"A \"[{,\\\\","rejected":"B]}","note":\#(number)}"# + "\n"
        }
        try shop.write(lines.joined(), to: "pairs.jsonl")
        return shop
    }

    @Test(arguments: ["trl", "ms-swift", "llamafactory", "llava"])
    func pairsComeBack(format: String) throws {
        let shop = try workshop(pairs: 5)
        let ended = try shop.succeed(
            """
            sightline export pairs.jsonl --to \(format) -o rows --report lost.json
            sightline import rows -o back.jsonl
            sightline import rows --from \(format) | cmp - back.jsonl
            """)
        let id = format == "llava" ? "p3" : "4"
        #expect(
            try shop.lines("back.jsonl")[3]
                == #"{"id":"\#(id)","image":"pictures/picture-3.png","prompt":"What is 3?","#
                + #""chosen":"A \"[{,\\\\","rejected":"B]}","source":"\#(format)"}"#)
        let lost = format == "llava" ? #"{"note":5}"# : #"{"id":5,"note":5}"#
        #expect(
            try shop.read("lost.json")
                == #"{"format":"\#(format)","records":5,"not_carried":\#(lost)}"# + "\n")
        #expect(ended.errors.contains("export: \(format) has no place for: "))
        #expect(ended.errors.contains("note in 5"))
    }

    /// Larger than what is read at a time, so that rows lie across its borders.
    @Test func anArrayIsReadAsItsLinesAre() throws {
        let shop = try workshop(pairs: 6000)
        try shop.succeed(
            """
            sightline export pairs.jsonl --to llava -o rows.json
            sed -e '1d;$d' -e 's/,$//' rows.json >rows.jsonl
            tr '\\n' ' ' <rows.json | sed 's/^/  /' >line.json
            for rows in rows.json rows.jsonl line.json; do sightline import $rows -o $rows.out; done
            cmp rows.json.out rows.jsonl.out && cmp rows.json.out line.json.out
            cat rows.json | sightline import | cmp - rows.json.out
            echo '[]' | sightline import -o none && test ! -s none
            : | sightline export --to llava -o empty.json && grep -q '^\\[\\]$' empty.json
            """)
        #expect(try shop.bytes("rows.json").count > 1 << 20)
        #expect(try shop.lines("rows.json.out").count == 6000)
        let rows = try JSONSerialization.jsonObject(with: shop.bytes("rows.json")) as? [[String: Any]]
        #expect(rows?.count == 6000 && rows?[5999]["id"] as? String == "p5999")
    }

    /// The bracket at the end of an array belongs to no record; a part that has it must go on without.
    @Test func aStoppedExportGoesOn() throws {
        let shop = try workshop(pairs: 40)
        let export = "sightline export pairs.jsonl --to llava --report lost.json"
        try shop.succeed("\(export) -o whole.json; mv lost.json whole-lost.json")
        try shop.succeed("sed -i '21s/B/<image>/' pairs.jsonl")
        #expect(try shop.run("\(export) -o rows.json").code == 1)
        #expect(!shop.has("rows.json"))
        // The part belongs to these inputs; the fault can only be passed over, not mended.
        let resumed = try shop.run("\(export) -o rows.json --resume --skip-bad 1; test $? = 2")
        #expect(
            resumed.code == 0 && resumed.errors.contains("continuing after 20 records"), "\(resumed.errors)")
        try shop.succeed("grep -v '\"p20\"' whole.json | cmp - rows.json")
        #expect(
            try shop.read("lost.json") == #"{"format":"llava","records":39,"not_carried":{"note":39}}"# + "\n"
        )
    }

    @Test func rowsOfOneNameAreToldApart() throws {
        let shop = try Workshop()
        let row = #"{"id":"x","prompt":"Q","chosen":"A","rejected":"B"}"#
        try shop.write(
            "[\(row),\(row),\n{\"prompt\":\"Q\",\"chosen\":\"A\",\"rejected\":\"B\"}]", to: "rows.json")
        let whole = try shop.succeed("sightline import rows.json").output
        #expect(whole.matches(of: /"id":"([^"]*)"/).map { String($0.1) } == ["x", "x#2", "3"])
        let second = try shop.succeed("sightline import rows.json --shard 2/2").output
        #expect(second == whole.split(separator: "\n")[1] + "\n")
    }

    /// Names given before the stop count on behind it.
    @Test func aStoppedImportGoesOn() throws {
        let shop = try Workshop()
        let row = #"{"id":"x","prompt":"Q","chosen":"A","rejected":"B"}"#
        let rows = [row, row, #"{"id":"x","prompt":"Q"}"#, row, row]
        try shop.write("[\(rows.joined(separator: ",\n"))]", to: "rows.json")
        #expect(try shop.run("sightline import rows.json -o pairs.jsonl").errors.contains("rows.json[2]: "))
        let resumed = try shop.run("sightline import rows.json -o pairs.jsonl --resume --skip-bad 1")
        #expect(
            resumed.code == 2 && resumed.errors.contains("continuing after 2 records"), "\(resumed.errors)")
        let ids = try shop.read("pairs.jsonl").matches(of: /"id":"([^"]*)"/).map { String($0.1) }
        #expect(ids == ["x", "x#2", "x#4", "x#5"])
    }

    /// A dialogue is read as the template of the model has it, not as one question in another's words.
    @Test func earlierTurnsAreRead() throws {
        let shop = try Workshop()
        let turns = #"{"from":"human","value":"<image>\nWho?"},{"from":"gpt","value":"A man."},"#
        try shop.write(
            #"{"image":"pictures/picture-0.png","conversations":[\#(turns){"from":"human","value":"Where?"}],"#
                + #""output_1":{"value":"Here."},"output_2":{"value":"There."},"preference":1}"# + "\n",
            to: "rows.jsonl")
        let ended = try shop.succeed(
            """
            set -e
            sightline import rows.jsonl -o pairs.jsonl
            sightline sample pairs.jsonl --model $LLAVA --dump-tokens 2>&1 | cut -f2 >llava.txt
            sightline dpo-train pairs.jsonl --model $LLAVA --rank 2 --hold-out 0 -o adapter
            """)
        #expect(ended.errors.contains("1 of 1 records have a picture"))
        // One end token, behind the earlier answer.
        #expect(try shop.lines("llava.txt").count { $0 == #""</s>""# } == 1)
        #expect(
            try shop.read("adapter/pairs.jsonl").contains(#""history":[{"prompt":"Who?","answer":"A man."}]"#)
        )
    }

    /// LLaVA's instructions in their indented array, to be asked and to be learned.
    @Test func instructionsAreAskedAndLearned() throws {
        let shop = try Workshop()
        try shop.write(
            """
            [
             {"id":"1","image":"picture-0.png","conversations":[{"from":"human","value":"What is it?\\n<image>"},
              {"from":"gpt","value":"A cat."}]},
             {"id":"2","image":"picture-1.png","conversations":[{"from":"human","value":"<image>\\nWhat is it?"},
              {"from":"gpt","value":"A dog."},{"from":"human","value":"Where?"},{"from":"gpt","value":"Here."}]}
            ]
            """, to: "detail.json")
        try shop.succeed(
            """
            set -e
            sightline import detail.json --to prompts -o prompts.jsonl
            sightline sample prompts.jsonl --model $LLAVA --image-root pictures --count 1 --max-tokens 2 -o drawn
            sightline import detail.json --to lessons -o lessons.jsonl
            sightline sft-train lessons.jsonl --model $LLAVA --rank 2 --steps 2 --batch 2 --image-root pictures -o out
            """)
        #expect(
            try shop.lines("prompts.jsonl")[1]
                == #"{"id":"2","image":"picture-1.png","prompt":"What is it?","reference":"A dog."}"#)
        for (line, says) in [
            ("import detail.json", "detail.json[0]: unknown layout"),
            ("import detail.json", "use --to prompts or --to lessons"),
            ("sample detail.json --model $LLAVA", "detail.json:1: a JSON array, but records are lines; "),
            ("sft-train detail.json --model $LLAVA --rank 2 -o no", "detail.json:1: a JSON array"),
        ] {
            let ended = try shop.run("sightline \(line)")
            #expect(ended.code == 1 && ended.errors.contains(says), "\(ended.errors)")
        }
        try shop.succeed(#"sed 's/"Here."/" "/' lessons.jsonl >empty.jsonl"#)
        let empty = try shop.run(
            "sightline sft-train empty.jsonl --model $LLAVA --rank 2 --image-root pictures -o no")
        #expect(empty.errors.contains(#"empty.jsonl:2: samples[1]: wrong value: key "answer" is empty"#))
    }

    /// The list of other tools, with one picture in it, and the word for how many records had one.
    @Test func onePictureOfAListIsThePicture() throws {
        let shop = try workshop(pairs: 3)
        let train = "sightline dpo-train --model $LLAVA --rank 2 --hold-out 0"
        let ended = try shop.succeed(
            #"""
            set -e
            sed 's/"image":\("[^"]*"\)/"images":[\1]/' pairs.jsonl >listed.jsonl
            ! grep '"image"' listed.jsonl
            for file in pairs listed; do
                \#(train) $file.jsonl -o $file-adapter
                sightline sample $file.jsonl --model $LLAVA --max-tokens 4 | sed 's/.*"nodes"//' >$file-drawn
                sightline export $file.jsonl --to llava -o $file-rows
            done
            cmp pairs-adapter/adapter_model.safetensors listed-adapter/adapter_model.safetensors
            cmp pairs-drawn listed-drawn
            cmp pairs-rows listed-rows
            """#)
        for program in ["dpo-train", "sample", "export"] {
            let words = "\(program): 3 of 3 records have a picture\n"
            #expect(ended.errors.ranges(of: words).count == 2, "\(ended.errors)")
        }
        try shop.write(#"{"id":"t","prompt":"Why?","chosen":"A","rejected":"B"}"# + "\n", to: "text.jsonl")
        let blind = try shop.succeed("\(train) text.jsonl --quiet -o blind")
        #expect(blind.errors == "dpo-train: 0 of 1 records have a picture\n")
    }

    /// What anybody may have: no ids, and perhaps the marker that other tools want in the question.
    @Test func plainPairsAreTrainedOn() throws {
        let shop = try Workshop()
        let lines = (0..<4).map { number in
            #"{"image":"pictures/picture-\#(number).png","prompt":"<image>\nWhat is this?","#
                + #""chosen":"A cat.","rejected":"Two dogs on a mat."}"# + "\n"
        }
        try shop.write(lines.joined(), to: "own.jsonl")
        let train = "sightline dpo-train --model $LLAVA --rank 2 --batch 2 --hold-out 0 --quiet"
        try shop.succeed(
            """
            set -e
            \(train) own.jsonl -o plain
            sightline import own.jsonl -o pairs.jsonl
            \(train) pairs.jsonl -o imported
            cmp plain/adapter_model.safetensors imported/adapter_model.safetensors
            """)
        let kept = try shop.lines("plain/pairs.jsonl").map { $0.matches(of: /"id":"([^"]*)"/).map { $0.1 } }
        #expect(kept == [["1"], ["2"], ["3"], ["4"]])
        let clash = try shop.run(
            "(cat own.jsonl; echo '{\"id\":\"2\",\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\"}') >two.jsonl"
                + "; \(train) two.jsonl -o out")
        #expect(clash.code == 1 && clash.errors.contains("two.jsonl:5: "), "\(clash.errors)")
    }
}
