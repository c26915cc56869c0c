import Foundation
import Testing

/// A record's result depends on nothing but the record: not on its neighbours, the batch, the shard or the
/// number of threads.
struct NeighbourTests {
    private static let sample =
        "sightline sample prompts.jsonl --model $LLAVA --mode tree --relevance $CLIP --children 3 --max-tokens 5 --quiet"
    private static let answers =
        "sightline sample prompts.jsonl --model $TIED --count 3 --with-greedy --max-tokens 7 --quiet"
    private static let int8 = "\(answers) --compute int8"
    private static let calibrate = "sightline calibrate drawn.jsonl --relevance $CLIP --quiet"

    private static let beams = """
        sightline sample prompts.jsonl --model $LLAVA --mode tree --draw group-beams --steer-by likelihood \
        --end-token passes --max-characters 200 --children 3 --max-tokens 5 --max-sentences 4 --quiet
        """

    @Test(arguments: [sample, answers, beams, int8, calibrate], ["", "OPENBLAS_CORETYPE=Haswell"])
    func neighboursDoNotMatter(stage: String, core: String) throws {
        let shop = try Workshop(prompts: 7)
        let command = "\(core) \(stage)"
        try shop.succeed("\(core) \(Self.sample) -o drawn.jsonl; \(command) --batch 32 --threads 2 -o all")
        let all = try shop.lines("all")
        try #require(all.count == 7)
        for variant in ["--batch 1", "--batch 3 --threads 1", "--threads 3"] {
            let lines = try shop.succeed("\(command) \(variant)").output.split(separator: "\n")
            #expect(lines.map(String.init) == all, "\(variant)")
        }
        for k in 1...3 {
            let shard = try shop.succeed("\(command) --shard \(k)/3").output.split(separator: "\n")
            #expect(shard.map(String.init) == stride(from: k - 1, to: 7, by: 3).map { all[$0] })
        }
        let alone = try shop.succeed("sed -i '5!d' prompts.jsonl drawn.jsonl; \(command) --threads 1").output
        #expect(alone == all[4] + "\n")
    }

    @Test func theSeedMatters() throws {
        let shop = try Workshop(prompts: 2)
        let one = try shop.succeed(Self.answers).output
        #expect(try shop.succeed("\(Self.answers) --seed 0").output == one)
        #expect(try shop.succeed("\(Self.answers) --seed 1").output != one)
    }
}
