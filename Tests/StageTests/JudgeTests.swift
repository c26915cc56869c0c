import Foundation
import Testing

/// The three steps of a judged benchmark, with a model of this machine as judge.
struct JudgeTests {
    private static let questions = (0..<3).map { number in
        """
        "v1_\(number)": {"imagename": "picture-\(number).png", "question": "What is in picture \(number)?",
          "answer": "a cup<OR>a mug", "capability": ["rec"]}
        """
    }.joined(separator: ",\n")

    @Test func answersAreJudgedByTheModelItself() throws {
        let shop = try Workshop()
        try shop.write("{\(Self.questions)}", to: "mm-vet.json")
        let said = try shop.succeed(
            "sightline eval --mm-vet mm-vet.json --model $LLAVA --image-root pictures --long-tokens 3 -o out")
        #expect(said.output.contains("eval judge-requests"), "\(said.output)")
        #expect(said.errors.contains("0 captions and 3 questions"), "\(said.errors)")
        try shop.write("{question} {reference} {answer}\n{again}Digit: ", to: "p.txt")
        try shop.succeed(
            "sightline eval judge-requests out --judge x --judge-prompt p.txt --runs 2 -o requests.jsonl")
        let local = "sightline eval judge-local requests.jsonl --model $LLAVA"
        try shop.succeed("\(local) -o replies.jsonl && \(local) --batch 1 -o single.jsonl")
        #expect(try shop.lines("replies.jsonl").count == 6)
        #expect(try shop.bytes("replies.jsonl") == shop.bytes("single.jsonl"))
        let read = try shop.succeed("sightline eval judge-replies out replies.jsonl")
        #expect(read.errors.contains("replies.jsonl: 6 replies, 0 failures"), "\(read.errors)")
        // A random model gives no numbers.
        #expect(read.errors.contains("6 answers without reply that could be read"), "\(read.errors)")
        #expect(try shop.read("out/scores.json").contains(#""judge":"local "#))
        try shop.succeed(
            "sightline eval judge-requests out --judge x --judge-prompt p.txt --runs 2 --missing -o again.jsonl"
        )
        let again = try shop.lines("again.jsonl")
        #expect(again.count == 6 && again.allSatisfy { $0.contains("Digit: ") })
        let fewer = try shop.run("sightline eval judge-replies out p.txt")
        #expect(fewer.code == 1 && fewer.errors.contains("p.txt:1: "), "\(fewer.errors)")
    }
}
