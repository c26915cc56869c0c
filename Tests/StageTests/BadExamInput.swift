import Testing

/// Benchmarks' files, and answers to them, that something is wrong with. Each is an error with its place, or a rule of
/// the official script by which answers are counted.
enum ExamFiles {
    /// POPE in LLaVA's layout, two questions for each split, with answers; MMBench, MMVP and MME in small; and the made-up
    /// sets of the other benchmarks under `exams`.
    static func write(to shop: Workshop) throws {
        try shop.succeed("cp -r $FIXTURES/exams . && chmod -R u+w exams")
        let things = [
            ("random", ["car", "dog"]), ("popular", ["cup", "cat"]), ("adversarial", ["bus", "hat"]),
        ]
        var (questions, answers) = ("", "")
        for (split, objects) in things {
            var labels = ""
            for (number, object) in objects.enumerated() {
                let text = "Is there a \(object) in the image?"
                let id = questions.split(separator: "\n").count
                let start = #"{"question_id":\#(id),"image":"\#(number).jpg","text":"\#(text)"#
                questions += start + #"\nAnswer briefly.","category":"\#(split)"}"# + "\n"
                labels += start + #"","label":"\#(number == 0 ? "yes" : "no")"}"# + "\n"
                answers += #"{"question_id":\#(id),"prompt":"\#(text)","text":"Yes"}"# + "\n"
            }
            try shop.write(labels, to: "coco_pope_\(split).json")
        }
        try shop.write(questions, to: "pope.jsonl")
        try shop.write(answers, to: "answers.jsonl")
        try shop.write(
            "index\tquestion\tA\tB\tanswer\n1\t\"Which\nof two?\"\tone\ttwo\tA\n2\tWhich?\tone\ttwo\tB\n",
            to: "mmbench.tsv")
        try shop.write(
            #"{"index":1,"prediction":"A"}"# + "\n" + #"{"index":2,"prediction":"A"}"# + "\n",
            to: "choices.jsonl")
        try shop.write(
            "Index,Question,Options,Correct Answer\n1,Which?,(a) One (b) Two,(a)\n2,Which?,(a) One (b) Two,(b)\n",
            to: "Questions.csv")
        try shop.write(
            [1, 2].map { #"{"question_id":\#($0),"text":"(a)"}"# + "\n" }.joined(), to: "pairs.jsonl")
        try shop.write("1.png\tIs it so?\tYes\n1.png\tIs it not?\tNo\n", to: "count.txt")
    }

    static let pope = "sightline eval --pope pope.jsonl --answers answers.jsonl -o out"
    static let mmbench = "sightline eval --mmbench mmbench.tsv --answers choices.jsonl -o out"
    static let mmvp = "sightline eval --mmvp Questions.csv --answers pairs.jsonl -o out"

    static func score(_ name: String, _ questions: String, _ answers: String) -> String {
        "sightline eval --\(name) exams/\(name)/\(questions) --answers exams/\(name)/\(answers) -o out"
    }

    static let vqav2 = score("vqav2", "v2_OpenEnded_mscoco_val2014_questions.json", "results.json")
    static let vizwiz = score("vizwiz", "val.json", "answers.json")
    static let gqa = score("gqa", "llava_gqa_testdev_balanced.jsonl", "answers.jsonl")
    static let amber = score("amber", "query_all.json", "answers.json")
    static let hallusionbench = score("hallusionbench", "HallusionBench.json", "results.json")
    static let naturalbench = score("naturalbench", "naturalbench.json", "answers.jsonl")
    static let textvqa = score("textvqa", "llava_textvqa_val_v051_ocr.jsonl", "answers.jsonl")

    static let good = [
        pope, mmbench, mmvp, vqav2, vizwiz, gqa, amber, hallusionbench, naturalbench, textvqa,
    ]
}

extension BadInput {
    static let exams = answers + labels + questions + tables + bytes

    /// Answers that aren't those to the questions.
    private static let answers = [
        BadInput(
            "no answer to a question", spoil: "sed -i 2d answers.jsonl", ExamFiles.pope,
            says: "answers.jsonl: 1 of 6 questions of pope.jsonl have no answer, the first is 1; "),
        BadInput(
            "two answers to a question", spoil: "sed -i 2p answers.jsonl", ExamFiles.pope,
            says: "answers.jsonl:3: a second answer to question 1; "),
        BadInput(
            "answers to no question", spoil: #"echo '{"question_id":7,"text":"No"}' >>answers.jsonl"#,
            ExamFiles.pope, says: "answers.jsonl:7: 1 of 7 answers match no question, the first is 7; "),
        BadInput(
            "answers in another order, with ids counted anew",
            spoil:
                "sort -r -t : -k 3 answers.jsonl | awk '{sub(/:[0-9]+/, \":\" NR-1); print}' >a; mv a answers.jsonl",
            ExamFiles.pope, says: "answers.jsonl:", " answers are to other questions than pope.jsonl has"),
        BadInput(
            "answers to another benchmark", spoil: "cp exams/vizwiz/answers.json exams/vqav2/results.json",
            ExamFiles.vqav2, says: "exams/vqav2/results.json:2: missing key: \"question_id\""),
        BadInput(
            "answers to another benchmark in the same layout",
            spoil: "cp exams/gqa/answers.jsonl answers.jsonl", ExamFiles.pope,
            says: "answers.jsonl: 6 of 6 questions of pope.jsonl have no answer"),
        BadInput(
            "a number where an answer is text", spoil: "sed -i '4s/\"Yes\"/1/' answers.jsonl", ExamFiles.pope,
            says: "answers.jsonl:4: ", "\"text\" is a number"),
        BadInput(
            "no answer's text", spoil: "sed -i '4s/\"text\"/\"txt\"/' answers.jsonl", ExamFiles.pope,
            says: "answers.jsonl:4: ", "\"text\""),
        BadInput(
            "no answers at all", spoil: ": >answers.jsonl", ExamFiles.pope,
            says: "answers.jsonl: 6 of 6 questions of pope.jsonl have no answer"),
        BadInput(
            "no file of answers", spoil: "rm answers.jsonl", ExamFiles.pope, says: "answers.jsonl: ",
            "check the path"),
        BadInput(
            "one answer for a group", spoil: "sed -i '2,$d' pairs.jsonl", ExamFiles.mmvp,
            says: "pairs.jsonl: 1 of 2 questions of Questions.csv have no answer"),
        BadInput(
            "a huge id", spoil: #"sed -i '1s/:0,/:123456789012345678901234567890,/' answers.jsonl"#,
            ExamFiles.pope, says: "answers.jsonl: 1 of 6 questions", "the first is 0"),
        BadInput(
            "answers cut off in the middle of an array",
            spoil: "head -c 150 exams/vizwiz/answers.json >a; mv a exams/vizwiz/answers.json",
            ExamFiles.vizwiz,
            says: "exams/vizwiz/answers.json:", "the line may be torn"),
    ]

    /// Labels that aren't those of the questions.
    private static let labels = [
        BadInput(
            "labels of another split", spoil: "cp coco_pope_popular.json coco_pope_random.json",
            ExamFiles.pope,
            says: "pope.jsonl:1: ", "coco_pope_random.json has no label for"),
        BadInput(
            "labels of a larger release",
            spoil: #"sed 's/car/fork/' coco_pope_random.json | head -1 >>coco_pope_random.json"#,
            ExamFiles.pope,
            says: "coco_pope_random.json: 1 of 3 labels are for questions that pope.jsonl doesn't have"),
        BadInput(
            "no labels", spoil: "rm coco_pope_adversarial.json", ExamFiles.pope,
            says: "pope.jsonl: the adversarial questions have no labels", "--labels"),
        BadInput(
            "a label that is neither yes nor no",
            spoil: "sed -i 's/\"yes\"/\"maybe\"/' coco_pope_popular.json",
            ExamFiles.pope, says: "pope.jsonl:3: ", "\"maybe\""),
        BadInput(
            "two labels of a question",
            spoil: "sed 's/yes/no/' coco_pope_random.json >a; cat a >>coco_pope_random.json", ExamFiles.pope,
            says: "coco_pope_random.json:3: ", "another for the same question"),
        BadInput(
            "a person without an answer",
            spoil: "sed -i '0,/\"answer\":/{s/\"answer\":/\"answr\":/}' exams/vqav2/*annotations.json",
            ExamFiles.vqav2, says: "annotations.json:", "answer"),
        BadInput(
            "annotations without one of the queries",
            spoil: "sed -i 's/\"id\": 2,/\"id\": 99999,/' exams/amber/annotations.json", ExamFiles.amber,
            says: "exams/amber/query_all.json:", "\"2\"", "has no label for"),
        BadInput(
            "labels without one of the questions",
            spoil: "sed -i 's/\"102\": {/\"99999\": {/' exams/gqa/testdev_balanced_questions.json",
            ExamFiles.gqa,
            says: "exams/gqa/llava_gqa_testdev_balanced.jsonl:3: ", "\"102\""),
        BadInput(
            "a truth that is no truth",
            spoil:
                "sed -i 's/\"gt_answer\": \"1\"/\"gt_answer\": \"2\"/' exams/hallusionbench/HallusionBench.json",
            ExamFiles.hallusionbench, says: "exams/hallusionbench/HallusionBench.json:2: ", "write 0 or 1"),
    ]

    /// Questions that are none.
    private static let questions = [
        BadInput(
            "two questions of one id", spoil: "sed -i '2s/:1,/:0,/' pope.jsonl", ExamFiles.pope,
            says: "pope.jsonl:2: ", "which line 1 has too"),
        BadInput(
            "no questions", spoil: ": >pope.jsonl", ExamFiles.pope,
            says: "pope.jsonl: it holds no questions; "),
        BadInput(
            "a split that POPE doesn't have", spoil: "sed -i 's/adversarial/hard/' pope.jsonl",
            ExamFiles.pope,
            says: "pope.jsonl:5: ", "\"hard\"", "use random, popular or adversarial"),
        BadInput(
            "a number where a question is text",
            spoil:
                #"echo '{"question_id":9,"image":"9.jpg","text":9,"label":"no","category":"random"}' >>pope.jsonl"#,
            ExamFiles.pope, says: "pope.jsonl:7: ", "\"text\" is a number"),
        BadInput(
            "a torn line", spoil: "head -c 250 pope.jsonl >a; mv a pope.jsonl", ExamFiles.pope,
            says: "pope.jsonl:3: ", "byte "),
        BadInput(
            "a key that stands twice", spoil: "sed -i '3s/{/{\"image\":\"x.jpg\",/' pope.jsonl",
            ExamFiles.pope,
            says: "pope.jsonl:3: ", "\"image\""),
        BadInput(
            "an array of something else", spoil: "echo '[1, 2]' >exams/vizwiz/val.json", ExamFiles.vizwiz,
            says: "exams/vizwiz/val.json:1: "),
        BadInput(
            "a kind of question that isn't known",
            spoil: "sed -i 's/\"yes_no\"/\"essay\"/' exams/naturalbench/naturalbench.json",
            ExamFiles.naturalbench,
            says: "exams/naturalbench/naturalbench.json:", "\"essay\""),
        BadInput(
            "a folder in the place of a file", spoil: "rm pope.jsonl; mkdir pope.jsonl", ExamFiles.pope,
            says: "pope.jsonl: it is a folder; "),
    ]

    /// Tables of which rows or columns are wrong.
    private static let tables = [
        BadInput(
            "a quote that is not closed", spoil: "sed -i 's/of two?\"/of two?/' mmbench.tsv",
            ExamFiles.mmbench,
            says: "mmbench.tsv:2: a quote that is not closed; "),
        BadInput(
            "a quote that is not closed among commas", spoil: "sed -i '2s/Which?/\"Which?/' Questions.csv",
            ExamFiles.mmvp, says: "Questions.csv:2: a quote that is not closed; "),
        BadInput(
            "a row with a field too many", spoil: "sed -i '4s/$/\tmore/' mmbench.tsv", ExamFiles.mmbench,
            says: "mmbench.tsv:4: 6 fields where the first line has 5; "),
        BadInput(
            "no column of questions", spoil: "sed -i '1s/question/text/' mmbench.tsv", ExamFiles.mmbench,
            says: "mmbench.tsv:1: no column question; "),
        BadInput(
            "an index too large for a number", spoil: "sed -i '4s/^2/99999999999999999999/' mmbench.tsv",
            ExamFiles.mmbench, says: "mmbench.tsv:4: ", "\"99999999999999999999\"", "whole number"),
        BadInput(
            "an answer that is no choice", spoil: "sed -i '4s/B$/D/' mmbench.tsv", ExamFiles.mmbench,
            says: "mmbench.tsv:4: ", "\"D\""),
        BadInput(
            "lines of two fields", spoil: "sed -i 's/\tYes//' count.txt",
            "sightline eval --mme count.txt --answers answers.jsonl -o out", says: "count.txt:1: 2 fields; "),
    ]

    /// Bytes that are no text.
    private static let bytes = [
        BadInput(
            "zero bytes in a line", spoil: "sed -i '2s/dog/d\\x00g/' pope.jsonl", ExamFiles.pope,
            says: "pope.jsonl:2: ", "0x00"),
        BadInput(
            "zero bytes where a file was",
            spoil: "truncate -s 0 answers.jsonl; truncate -s 500 answers.jsonl",
            ExamFiles.pope, says: "answers.jsonl:1: ", "0x00"),
        BadInput(
            "zero bytes in a table", spoil: "sed -i '4s/Which/W\\x00ich/' mmbench.tsv", ExamFiles.mmbench,
            says: "mmbench.tsv:4: a zero byte; "),
        BadInput(
            "zero bytes in MME's table", spoil: "sed -i '2s/not/n\\x00t/' count.txt",
            "sightline eval --mme count.txt --answers answers.jsonl -o out",
            says: "count.txt:2: a zero byte; "),
        BadInput(
            "bytes that are no UTF-8", spoil: "sed -i '3s/Yes/\\xff/' answers.jsonl", ExamFiles.pope,
            says: "answers.jsonl:3: ", "UTF-8"),
        BadInput(
            "a table that is no UTF-8", spoil: "sed -i '4s/Which/\\xff/' mmbench.tsv", ExamFiles.mmbench,
            says: "mmbench.tsv:4: not valid UTF-8; "),
    ]
}

struct BadExamInputTests {
    @Test(arguments: ExamFiles.good) func whatIsSpoiledIsGoodBefore(command: String) throws {
        let shop = try Workshop()
        try ExamFiles.write(to: shop)
        try shop.succeed(command)
    }

    @Test(arguments: BadInput.exams) func isNamedAndLeavesNothing(_ bad: BadInput) throws {
        let shop = try Workshop()
        try ExamFiles.write(to: shop)
        try shop.succeed(bad.spoil)
        let ended = try shop.run(bad.command)
        #expect(ended.code == bad.code, "\(ended.errors)")
        for words in bad.says {
            #expect(ended.errors.contains(words), "\(words) is not in: \(ended.errors)")
        }
        #expect(ended.errors.hasPrefix("eval: ") && ended.errors.hasSuffix("\n"), "\(ended.errors)")
        #expect(!ended.errors.contains("Fatal error") && !shop.has("out"))
    }

    /// Marks of byte order, carriage returns, blank lines and another order of what is met by id change nothing.
    @Test(arguments: [
        "sed -i 's/$/\\r/' pope.jsonl answers.jsonl coco_pope_*.json",
        "sed -i '1s/^/\\xef\\xbb\\xbf/' pope.jsonl answers.jsonl coco_pope_*.json",
        "sed -i 's/$/\\n/' pope.jsonl answers.jsonl", "tac answers.jsonl >a; mv a answers.jsonl",
        "for s in random popular adversarial; do tac coco_pope_$s.json >a; mv a coco_pope_$s.json; done",
        "for f in pope.jsonl answers.jsonl; do (echo '['; sed '$!s/$/,/' $f; echo ']') >a; mv a $f; done",
    ])
    func whatDoesNoHarm(change: String) throws {
        let shop = try Workshop()
        try ExamFiles.write(to: shop)
        try shop.succeed("\(ExamFiles.pope) && mv out whole && \(change) && \(ExamFiles.pope)")
        try shop.succeed(
            "cmp out/scores.json whole/scores.json && cmp out/answers/pope.jsonl whole/answers/pope.jsonl")
    }

    /// Tables of Windows' make are read as pandas does it.
    @Test func marksAndCarriageReturnsInTablesDoNoHarm() throws {
        let shop = try Workshop()
        try ExamFiles.write(to: shop)
        try shop.succeed(
            """
            set -e
            \(ExamFiles.mmvp); mv out whole
            sed -i 's/$/\\r/; 1s/^/\\xef\\xbb\\xbf/' Questions.csv
            \(ExamFiles.mmvp); cmp out/scores.json whole/scores.json
            """)
    }
}
