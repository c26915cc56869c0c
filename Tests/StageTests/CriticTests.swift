import Foundation
import Testing

/// SIMA's critic from drawn answers to pairs, on the tiny random LLaVA.
struct CriticTests {
    private static let critic = """
        sightline self-critic drawn.jsonl --model $LLAVA --image-root scenes --prompt-file ask.txt --max-tokens 4 \
        --no-ledger --quiet
        """

    /// Six records with a greedy answer, a drawn one and a reference.
    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.write(
            "{#metrics}By objects. {/metrics}{question}{#reference} {reference}{/reference} 1 {answer_1} 2 {answer_2}\n",
            to: "ask.txt")
        try shop.succeed(
            """
            set -e
            sightline scenes --split train --count 6 --size 32 --kind prompts -o scenes --quiet
            sightline sample scenes/prompts.jsonl --model $LLAVA --image-root scenes --with-greedy --count 1 \
                --max-tokens 8 --no-ledger --quiet -o drawn.jsonl
            """)
        return shop
    }

    private func verdicts(_ shop: Workshop, _ file: String) throws -> [(critic: String, order: String)] {
        try shop.lines(file).flatMap { line in
            line.matches(of: /"critic":"([^"]*)","order":\[([^\]]*)\],"choice":[^,]*,"raw":"/)
                .map { (String($0.output.1), String($0.output.2)) }
        }
    }

    @Test func asksInBothOrdersOrAsReleased() throws {
        let shop = try workshop()
        try shop.succeed(
            """
            set -e
            \(Self.critic) --reference -o both.jsonl
            \(Self.critic) --reference --order sampled-first --reading exact -o released.jsonl
            \(Self.critic) --metrics none -o ablated.jsonl
            """)
        let both = try verdicts(shop, "both.jsonl")
        #expect(
            both.map(\.order) == Array(repeating: [#""c0","c1""#, #""c1","c0""#], count: 6).flatMap { $0 })
        #expect(both.allSatisfy { $0.critic.hasPrefix("ask@") && $0.critic.hasSuffix("+reference") })
        let released = try verdicts(shop, "released.jsonl")
        #expect(released.map(\.order) == Array(repeating: #""c1","c0""#, count: 6))
        #expect(try verdicts(shop, "ablated.jsonl").allSatisfy { $0.critic.hasSuffix("-metrics") })
    }

    /// A reason that leaves no room for a verdict looks like a critic with nothing to say.
    @Test func cutVerdictsAreCounted() throws {
        let shop = try workshop()
        let ended = try shop.succeed("\(Self.critic) -o out.jsonl")
        let counts = try #require(
            ended.errors.firstMatch(
                of: /(\d+) of 12 verdicts were cut at --max-tokens 4 before they said which answer/))
        let unread = try shop.read("out.jsonl").ranges(of: #""choice":null"#).count
        #expect(Int(counts.1) == unread && unread > 0)
    }

    /// Adapters of rounds stand on each other, the critic's own on the model alone.
    @Test func theCriticsOwnAdapterStandsBesideThoseOfTheRounds() throws {
        let shop = try workshop()
        let lesson = #","samples":[{"prompt":"What is there?","answer":"A red dog."}]}"#
        try shop.write("{\"id\":\"0\"\(lesson)\n{\"id\":\"1\"\(lesson)\n", to: "lessons.jsonl")
        try shop.succeed(
            """
            set -e
            teach="sightline sft-train lessons.jsonl --model $LLAVA --rank 2 --batch 2 --learning-rate 0.05 \
                --warmup 0 --no-ledger --quiet"
            $teach --steps 6 -o round
            $teach --steps 6 --seed 2 -o judge
            \(Self.critic) --critic-adapter judge -o judge.jsonl
            \(Self.critic) --adapter judge -o alone.jsonl
            \(Self.critic) --adapter round -o round.jsonl
            \(Self.critic) --adapter round --critic-adapter judge -o both.jsonl
            """)
        #expect(try shop.read("judge.jsonl") == shop.read("alone.jsonl"))
        let different = try Set(["judge", "round", "both"].map { try shop.read("\($0).jsonl") })
        #expect(different.count == 3)
        let chained = try shop.run("\(Self.critic) --adapter round --adapter judge -o chained.jsonl")
        #expect(chained.code == 1 && chained.errors.contains("was trained on the model with digest"))
    }

    @Test func whatCriticsSettledStandsInTheAudit() throws {
        let shop = try Workshop()
        let judged = (0..<6).map { number in
            func verdict(_ first: String, _ second: String, _ choice: String) -> String {
                #"{"critic":"c","order":["\#(first)","\#(second)"],"choice":"\#(choice)","raw":"1"}"#
            }
            let second = number < 4 ? "c0" : "c1"
            return #"{"id":"\#(number)","prompt":"Q","candidates":[{"id":"c0","text":"A dog."},"#
                + #"{"id":"c1","text":"A cat."}],"verdicts":[\#(verdict("c0", "c1", "c0")),"#
                + "\(verdict("c1", "c0", second))]}\n"
        }
        try shop.write(judged.joined(), to: "judged.jsonl")
        try shop.succeed(
            """
            sightline pair judged.jsonl --from verdicts --no-equal-sentences --word-tolerance 1 --audit audit.json \
                --no-ledger --quiet -o pairs.jsonl
            """)
        #expect(try shop.lines("pairs.jsonl").count == 4)
        let audit = try shop.read("audit.json")
        #expect(audit.contains(#""judged":6"#) && audit.contains(#""verdicts_both_orders":12"#))
        let coverage = audit.firstMatch(of: /"coverage":([0-9.]+)/).flatMap { Double($0.output.1) }
        let first = audit.firstMatch(of: /"first_share":([0-9.]+)/).flatMap { Double($0.output.1) }
        #expect(abs((coverage ?? 0) - 4 / 6) < 1e-6 && abs((first ?? 0) - 8 / 12) < 1e-6)
    }

    /// SIMA's baseline GT-DPO.
    @Test func theReferenceIsBetterThanTheAnswer() throws {
        let shop = try workshop()
        try shop.succeed("sightline pair drawn.jsonl --from reference --no-ledger --quiet -o pairs.jsonl")
        let pairs = try shop.lines("pairs.jsonl")
        #expect(pairs.count == 6)
        for line in pairs {
            let reference = line.firstMatch(of: /"reference":("[^"]*")/).map(\.output.1)
            let chosen = line.firstMatch(of: /"chosen":("[^"]*")/).map(\.output.1)
            #expect(reference != nil && reference == chosen && line.contains(#""source":"reference""#))
        }
    }

    /// The last of six records is too long for the model: nothing is asked about it, and the others are judged.
    @Test func whatIsTooLongIsLeftOut() throws {
        let shop = try workshop()
        var lines = try shop.lines("drawn.jsonl")
        let long = String(repeating: "A dog. ", count: 400)
        lines[5] = lines[5].replacing(/"reference":"/, with: #""reference":"\#(long)"#)
        try shop.write(lines.map { $0 + "\n" }.joined(), to: "drawn.jsonl")
        let ended = try shop.succeed("\(Self.critic) --reference -o out.jsonl")
        #expect(
            ended.errors.contains("1 pairs of answers are longer than the critic reads"), "\(ended.errors)")
        let judged = try shop.lines("out.jsonl").map { $0.contains(#""verdicts":"#) }
        #expect(judged == [true, true, true, true, true, false])
    }

    @Test func answersThatAreNotOneGreedyAndOneDrawnHaveNoReleasedOrder() throws {
        let shop = try workshop()
        try shop.succeed("sed -i 's/\"temperature\":0[.0]*,/\"temperature\":1,/' drawn.jsonl")
        let ended = try shop.run("\(Self.critic) --order sampled-first -o out.jsonl")
        #expect(ended.code == 1)
        #expect(
            ended.errors.contains(
                "drawn.jsonl:1: wrong value: key \"candidates\" is c0 and c1, where exactly one must be greedy"
            ))
    }

    /// A part is gone on with only under the text that it was begun with, whatever the file is called.
    @Test func anotherPromptTextIsAnotherRun() throws {
        let shop = try Workshop(prompts: 300)
        try shop.write("{question} 1 {answer_1} 2 {answer_2}\n", to: "ask.txt")
        try shop.succeed(
            "sightline sample prompts.jsonl --model $LLAVA --count 2 --max-tokens 8 --no-ledger -o drawn.jsonl"
        )
        let command = """
            sightline self-critic drawn.jsonl --model $LLAVA --prompt-file ask.txt --max-tokens 8 --batch 1 --threads 1 \
                --no-ledger --quiet
            """
        let process = try shop.start("exec \(command) -o out")
        while process.isRunning, try !shop.has("out.part") || shop.bytes("out.part").isEmpty { usleep(1000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try #require(process.terminationReason == .uncaughtSignal, "it ended before it was killed")
        try shop.succeed("cp ask.txt before.txt; echo Really? >>ask.txt")
        let other = try shop.run("\(command) --resume -o out")
        #expect(other.code == 1 && other.errors.contains("the prompt's text differs"), "\(other.errors)")
        try shop.succeed(
            "mv before.txt ask.txt; \(command) -o whole && \(command) --resume -o out && cmp whole out")
    }
}
