import Foundation
import Testing

/// `make compare`: the last rounds of runs against the base of the first.
struct CompareTests {
    private static let make =
        "make -f \(Workshop.fixtures)/../../Makefile -o build --no-print-directory compare"

    /// A sheet of ten captions, of which `invented` name a dog, and ten questions, of which `right` are right.
    private func write(
        _ shop: Workshop, _ folder: String, invented: Int, right: Int, object: String = "cup"
    ) throws {
        let captions = (0..<10).map { number in
            #"{"id":"s\#(number)","image":"\#(number).png","text":"A cup and a dog.","objects":["\#(object)"],"#
                + #""mentions":[\#(number < invented ? #"{"word":"dog","object":"dog"}"# : "")]}"#
        }
        let questions = (0..<10).map { number in
            #"{"id":"q\#(number)","image":"\#(number).png","prompt":"Is there a cup?","task":"popular","#
                + #""label":"yes","answer":"\#(number < right ? "Yes" : "No")"}"#
        }
        try shop.succeed("mkdir -p \(folder)/eval")
        try shop.write(
            #"{"version":1,"seconds":0,"captions":[\#(captions.joined(separator: ","))],"mme":[],"#
                + #""pope":[\#(questions.joined(separator: ","))]}"#, to: "\(folder)/eval/scores.json")
    }

    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try write(shop, "runs/a/base", invented: 5, right: 3)
        try write(shop, "runs/a/round-9", invented: 5, right: 3)
        try write(shop, "runs/a/round-10", invented: 1, right: 8)
        try write(shop, "runs/b/base", invented: 0, right: 0)
        try write(shop, "runs/b/round-1", invented: 4, right: 4)
        return shop
    }

    @Test func theLastRoundsStandBesideTheFirstBase() throws {
        let shop = try workshop()
        let table = try shop.succeed("\(Self.make) RUNS='a b'").output.split(separator: "\n")
        func row(_ name: String) -> [Substring] {
            (table.first { $0.hasPrefix(name) } ?? "").dropFirst(name.count).split(separator: " ")
        }
        let chair = row("CHAIR_S % ↓")
        #expect(chair.first == "50.0" && chair.contains("10.0") && chair.contains("40.0"))
        #expect(row("mean words").first == "5.0")
        // Five questions that only one has right: 2 · 2⁻⁵, and twice that for the smaller of two p-values.
        #expect(row("a, POPE popular") == ["0", "5", "0.0625", "0.1250"])
        #expect(row("b, POPE popular") == ["0", "1", "1.0000", "1.0000"])
        let written = try JSONSerialization.jsonObject(with: shop.bytes("runs/compare/comparison.json"))
        #expect((written as? [String: Any])?["names"] as? [String] == ["base", "a", "b"])
        #expect(try shop.read("runs/compare/plot.svg").contains("<title>10.0 ["))
    }

    @Test(arguments: [
        ("a=runs/a/base a=runs/b/base a=runs/a/base/", "a=runs/a/base/: it is given twice"),
        ("a=runs/a/base a=runs/a/base/eval", "it is given twice"),
        ("'a|b=runs/a/base'", "a name can't be blank or hold |"),
        ("' =runs/a/base'", "a name can't be blank"),
        ("a=runs/a/base --resamples 3", "give a number from 10"),
    ])
    func seedsDifferAndNamesAreNames(models: String, says: String) throws {
        let ended = try workshop().run("sightline eval compare \(models)")
        #expect(ended.code == 64 && ended.errors.contains(says), "\(ended.errors)")
    }

    /// As of a model whose adapter has learned nothing.
    @Test func whoSaysTheSameIsNamed() throws {
        let shop = try workshop()
        let ended = try shop.succeed(
            "sightline eval compare base=runs/a/base nine=runs/a/round-9 ten=runs/a/round-10 --no-ledger --quiet"
        )
        #expect(
            ended.errors
                == "eval compare: nine: its answers are word for word those of base; an adapter between them "
                + "changes nothing\n")
        let seeds = try shop.succeed(
            "cp -r runs/a/round-10 copy; sightline eval compare base=runs/a/base ten=runs/a/round-10 ten=copy --no-ledger"
        )
        #expect(seeds.errors.contains("ten: two of its folders hold the same answers word for word"))
    }

    @Test(arguments: [
        ("RUNS='a b'", "b: scored on other scenes or questions than base"), ("RUNS='a c'", "make run RUN=c"),
        ("", #"make compare RUNS="a b c""#),
    ])
    func whatCannotBeComparedIsRefused(runs: String, says: String) throws {
        let shop = try workshop()
        // The same names of pictures, but other scenes behind them.
        try write(shop, "runs/b/round-1", invented: 4, right: 4, object: "lamp")
        let ended = try shop.run("\(Self.make) \(runs)")
        #expect(ended.code != 0 && ended.errors.contains(says), "\(ended.errors)")
        #expect(!shop.has("runs/compare/summary.json"))
    }
}
