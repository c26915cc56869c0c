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
}
