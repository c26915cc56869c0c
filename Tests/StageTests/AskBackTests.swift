import Foundation
import Testing

/// `eval ask-back`: captions without what their own model denies.
struct AskBackTests {
    private static let ask =
        "sightline eval ask-back --model \(Workshop.fixtures)/../../data/llava --apply base/eval --captions s/prompts.jsonl --image-root s"

    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.succeed(
            """
            sightline scenes --split dev --count 24 -o s && mkdir base asked
            sightline eval --model \(Workshop.fixtures)/../../data/llava --captions s/prompts.jsonl \
                --pope s/pope_random.jsonl --image-root s -o base/eval
            """)
        return shop
    }

    @Test func whatTheModelDeniesIsTakenOut() throws {
        let shop = try workshop()
        let said = try shop.succeed("\(Self.ask) -o asked/eval").output
        func texts(_ folder: String) throws -> [String] {
            try shop.lines("\(folder)/eval/answers/prompts.jsonl").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return object?["text"] as? String ?? ""
            }
        }
        let pairs = zip(try texts("base"), try texts("asked"))
        func sentences(_ text: String) -> [Substring] { text.split(separator: ".") }
        let taken = pairs.reduce(0) { $0 + sentences($1.0).count - sentences($1.1).count }
        #expect(taken > 0 && said.hasPrefix("\(taken) sentences name what the model denies"), "\(said)")
        for (before, after) in pairs { #expect(sentences(after).allSatisfy(sentences(before).contains)) }
        let table = try shop.succeed("sightline eval compare base=base asked=asked -o summary.json").output
        let summary = try JSONDecoder().decode(
            [String: [String: Double]].self, from: shop.bytes("summary.json"))
        let (base, asked) = (summary["base"]?["chair_s"] ?? 0, summary["asked"]?["chair_s"] ?? 1)
        #expect(asked < base, "\(table)")
        #expect(try shop.lines("asked/eval/asked.jsonl").count { $0.contains(#""text":"No"#) } > 0)
        #expect(
            try shop.bytes("base/eval/answers/pope_random.jsonl")
                == shop.bytes("asked/eval/answers/pope_random.jsonl"))
        // Of what is left nothing is denied.
        let again = "\(Self.ask.replacing("--apply base", with: "--apply asked")) -o again"
        #expect(try shop.succeed(again).output.hasPrefix("0 sentences"))
    }

    /// What was said by another model, what was scored of other captions, and replies that can't be read.
    @Test func whatDoesNotBelongTogetherIsRefused() throws {
        let shop = try workshop()
        try shop.succeed(
            #"cp -r base other; sed -i 's/"model":"[0-9a-f]*/&0/' other/eval/scores.json; cp -r base mixed"#)
        try shop.succeed("sed -i 's/ is a / stands a /' mixed/eval/answers/prompts.jsonl")
        for (folder, says) in [
            ("other", "these are another model's answers"),
            ("mixed", "its scores and answers don't match"),
        ] {
            let ended = try shop.run(
                "\(Self.ask.replacing("base/eval", with: "\(folder)/eval")) --dry-run -o x")
            #expect(ended.code == 1 && ended.errors.contains(says), "\(ended.errors)")
        }
        let unread = try shop.succeed("\(Self.ask) --template llama3 -o x")
            .errors
        #expect(unread.contains("replies are neither yes nor no"), "\(unread)")
    }

    @Test(arguments: [("base/eval", "it would replace or change"), ("s", "it would replace or change")])
    func whatIsReadIsNotReplaced(output: String, says: String) throws {
        let shop = try workshop()
        let ended = try shop.run("\(Self.ask) -o \(output)")
        #expect(ended.code == 64 && ended.errors.contains(says), "\(ended.errors)")
    }
}
