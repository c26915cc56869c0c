import Foundation
import Testing

/// Answers that somebody's model has given, scored without one.
struct ExamTests {
    private static let question = "Is there a car in the image?"

    private func write(_ shop: Workshop) throws {
        try shop.write(
            #"{"question_id":1,"image":"a.jpg","text":"\#(Self.question)\nAnswer briefly.","category":"random"}"#
                + "\n",
            to: "llava_pope_test.jsonl")
        try shop.write(
            #"{"question_id":1,"image":"a.jpg","text":"\#(Self.question)","label":"yes"}"# + "\n",
            to: "coco_pope_random.json")
        try shop.write(
            #"{"question_id":1,"prompt":"\#(Self.question)\nAnswer briefly.","text":"Yes"}"# + "\n",
            to: "answers.jsonl")
    }

    /// LLaVA's three files: questions of all splits, labels, and one file of answers; and POPE's own with the latter.
    @Test(arguments: ["llava_pope_test.jsonl", "coco_pope_random.json"])
    func oneFileOfAnswersIsScored(questions: String) throws {
        let shop = try Workshop()
        try write(shop)
        let ended = try shop.succeed("sightline eval --answers answers.jsonl --pope \(questions) -o out")
        #expect(ended.output.contains(/POPE random accuracy % ↑ +100\.0/), "\(ended.output)")
        let isLabelled = ended.errors.contains("labels of llava_pope_test.jsonl are read from ")
        #expect(isLabelled == questions.hasPrefix("llava"))
    }

    @Test func answersOfAnotherSplitAreRefused() throws {
        let shop = try Workshop()
        try write(shop)
        try shop.succeed("mkdir ans; sed 's/car/dog/' answers.jsonl >ans/coco_pope_random.jsonl")
        let other = try shop.run("sightline eval --answers ans --pope coco_pope_random.json -o out")
        #expect(other.code == 1 && !shop.has("out"))
        #expect(
            other.errors.contains("ans/coco_pope_random.jsonl:1: 1 of 1 answers are to other questions"),
            "\(other.errors)")
        try shop.succeed(
            #"(cat answers.jsonl; echo '{"question_id":3,"text":"No"}') >ans/coco_pope_random.jsonl"#)
        let surplus = try shop.run("sightline eval --answers ans --pope coco_pope_random.json -o out")
        #expect(surplus.code == 1 && !shop.has("out"))
        #expect(
            surplus.errors.contains("1 of 2 answers match no question, the first is 3"), "\(surplus.errors)")
    }

    /// What --limit leaves out is not surplus.
    @Test func fewerPicturesAreNoFault() throws {
        let shop = try Workshop()
        try write(shop)
        try shop.succeed(
            """
            set -e
            for file in coco_pope_random.json answers.jsonl; do
                sed 's/"question_id":1/"question_id":2/; s/a\\.jpg/b.jpg/' $file >more; cat more >>$file
            done
            sightline eval --answers answers.jsonl --pope coco_pope_random.json --limit 1 -o out
            """)
    }

    /// Options, their order and `EXAM` follow from the list.
    @Test func examsAreListedAndAreOptions() throws {
        let shop = try Workshop()
        let listed = try shop.succeed("sightline eval list").output.split(separator: "\n").dropFirst()
        #expect(listed.prefix(3).map { $0.prefix { $0 != " " } } == ["captions", "chair", "pope"])
        let help = try shop.succeed("sightline eval --help").output
        for line in listed { #expect(help.contains("--\(line.prefix { $0 != " " }) <")) }
        try write(shop)
        for typed in [
            "--pope coco_pope_random.json", "--pope=coco_pope_random.json", "--config eval.toml",
        ] {
            try shop.write("[eval]\npope = [\"coco_pope_random.json\"]\n", to: "eval.toml")
            try shop.succeed("sightline eval --answers answers.jsonl \(typed) -o out")
        }
        let config = try shop.succeed(
            "sightline eval --answers a --pope b c --captions d -o out --print-config"
        ).output
        #expect(config.contains("captions = \"d\"\n") && config.contains(/pope = \["b", "c"\]/), "\(config)")
        for (typed, says) in [
            ("", "give a benchmark and --data, or --captions, --chair, --pope, "),
            ("--captions x --labels y", "--labels: these label --chair, --pope"),
            ("--pope x --captions a/x", "two files of questions have the same name"),
        ] {
            let ended = try shop.run("sightline eval --answers a \(typed) -o out")
            #expect(ended.code == 64 && ended.errors.contains(says), "\(ended.errors)")
        }
    }

    /// MME's tables and LLaVA's questions about the same pictures; tasks of which the picture world has none too.
    @Test func mmesOwnFilesAreScored() throws {
        let shop = try Workshop()
        let ask = "Please answer yes or no."
        try shop.write(
            "picture-0.png\tIs he Bob? \(ask)\tYes\npicture-0.png\tIs he Al? \(ask)\tNo\n",
            to: "celebrity.txt")
        try shop.write(
            ["Bob", "Al"].map {
                #"{"question_id":"celebrity/picture-0.png","image":"picture-0.png","category":"celebrity","#
                    + #""text":"Is he \#($0)? \#(ask)\nAnswer the question using a single word or phrase."}"#
                    + "\n"
            }.joined(), to: "llava_mme.jsonl")
        for questions in ["celebrity.txt", "llava_mme.jsonl"] {
            let ended = try shop.succeed(
                "sightline eval --model $LLAVA --mme \(questions) --image-root pictures --answer-tokens 2 -o out"
            )
            #expect(ended.output.contains("MME-style celebrity (0–200) ↑"), "\(ended.output)")
        }
        try shop.write(
            ["Al", "Bob"].map {
                #"{"question_id":"celebrity/picture-0.png","prompt":"Is he \#($0)? \#(ask)","text":"Yes"}"#
                    + "\n"
            }.joined(), to: "answers.jsonl")
        let ended = try shop.succeed("sightline eval --answers answers.jsonl --mme llava_mme.jsonl -o scored")
        #expect(ended.output.contains(/celebrity \(0–200\) ↑ +50\.0/), "\(ended.output)")
        try shop.succeed("mv celebrity.txt birds.txt")
        let birds = try shop.run("sightline eval --model $LLAVA --mme birds.txt --image-root pictures -o out")
        #expect(
            birds.code == 1 && birds.errors.contains(#"birds.txt:1: wrong value: key "task" is "birds"; "#))
    }

    /// MMBench's table with its pictures in it, one told by the index of its row, says what it says with them unpacked.
    @Test func picturesInTablesAreAsked() throws {
        let shop = try Workshop()
        try shop.succeed(
            #"""
            set -e
            mkdir coco; cp pictures/picture-0.png coco/1.jpg; cp pictures/picture-1.png coco/2.jpg
            row() { printf '%s\tWhich?\tred\tblue\t%s' $1 $2; }
            printf 'index\tquestion\tA\tB\tanswer\n' >coco/MMBench_DEV_EN.tsv
            printf 'index\tquestion\tA\tB\tanswer\timage\n' >inside.tsv
            for index in 1 2; do
                (row $index A; echo; row 100000$index B; echo) >>coco/MMBench_DEV_EN.tsv
                (row $index A; printf '\t%s\n' $(base64 -w 0 coco/$index.jpg)) >>inside.tsv
                (row 100000$index B; printf '\t%s\n' $index) >>inside.tsv
            done
            sightline eval run mmbench --data coco --model $LLAVA --answer-tokens 4 -o unpacked
            sightline eval --mmbench inside.tsv --model $LLAVA --answer-tokens 4 -o inside
            cmp unpacked/answers/MMBench_DEV_EN.jsonl inside/answers/inside.jsonl
            sed -i 's/iVBORw0KGgo/aVBORw0KGgo/' inside.tsv
            """#)
        let bad = try shop.run("sightline eval --mmbench inside.tsv --model $LLAVA -o bad")
        #expect(bad.code == 1 && bad.errors.contains("inside.tsv:2: "), "\(bad.errors)")
    }

    /// A split without answers has no figures; its answers are written for the server.
    @Test func whatServersScoreIsWritten() throws {
        let shop = try Workshop()
        try shop.write("index\tquestion\tA\tB\n3\tWhich?\tred\tblue\n", to: "MMBench_TEST_EN.tsv")
        try shop.write(#"{"question_id":3,"prompt":"Which?","text":"B"}"# + "\n", to: "answers.jsonl")
        let ended = try shop.succeed(
            "sightline eval run mmbench --data . --answers answers.jsonl -o out")
        #expect(ended.output.contains(/to hand in +mmbench-submission\.xlsx/), "\(ended.output)")
        #expect(!ended.output.contains("MMBench accuracy"))
        #expect(try shop.bytes("out/mmbench-submission.xlsx").starts(with: Array("PK".utf8)))
    }

    /// The letters are those of the least mean loss, end token too, that transformers 5 gives for the same model in f32, by
    /// margins of 0.03 and more. Choices are turned from picture to picture.
    @Test func likeliestChoicesAreAnswers() throws {
        let shop = try Workshop()
        let asked = [
            (
                "How many cups are there?",
                ["two cups", "three chairs", "one", "No, there are two cups and three chairs."]
            ),
            ("Is there a dog in the picture?", ["Yes", "No", "Yes, there is.", "a dog"]),
            ("What is there?", ["a dog", "three chairs", "the picture", "two cups"]),
            (
                "Describe the picture.",
                ["a dog and two cups", "two", "chairs", "Yes, there is a dog in the picture."]
            ),
        ]
        let items = (0..<16).map { index in
            let (picture, question) = (index / 4, asked[index % 4])
            let choices = "abcd".enumerated().map { place, letter in
                #""choice_\#(letter)":"\#(question.1[(place + picture) % 4])""#
            }
            return #"{"answer":"A","data_id":"picture-\#(picture).png","data_type":"image","#
                + #""question":"\#(question.0)","question_id":"\#(index)","question_type_id":1,"#
                + choices.joined(separator: ",") + "}"
        }
        try shop.succeed("mkdir seed; cp -r pictures seed/SEED-Bench-image")
        try shop.write(#"{"questions":[\#(items.joined(separator: ",\n"))]}"#, to: "seed/SEED-Bench.json")
        let ended = try shop.succeed(
            "sightline eval run seed-bench-likelihood --data seed --model $LLAVA -o out")
        let letters = try shop.lines("out/answers/SEED-Bench.jsonl").map {
            String($0.firstMatch(of: /"text":"(.*?)"/)?.1 ?? "?")
        }
        #expect(letters.joined() == "BBBCAAAADDDDCCCD")
        #expect(ended.output.contains(/SEED by likelihood all % ↑ +25\.0/), "\(ended.output)")
        // As the authors' script writes answers.
        try shop.succeed(
            #"""
            sed -E 's/.*"question_id":"([0-9]+)".*"text":"(.)".*/{"q_id": "\1", "prediction": "\2", "gt": "A"}/' \
                out/answers/SEED-Bench.jsonl >results.json
            sightline eval --seed-bench-likelihood seed/SEED-Bench.json --answers results.json -o again
            cmp out/answers/SEED-Bench.jsonl again/answers/SEED-Bench.jsonl
            """#)
        let drawn = try shop.run(
            "sightline eval run seed-bench-likelihood --data seed --model $LLAVA --decode vdd -o no")
        #expect(drawn.code == 64 && drawn.errors.contains("leave out --decode"), "\(drawn.errors)")
    }
}
