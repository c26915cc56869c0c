import Foundation
import Testing

/// `eval compare --report`: the page beside the table.
struct CompareReportTests {
    /// A sheet of four questions, of which `right` are answered rightly, with `last` said to the last.
    private func write(_ shop: Workshop, _ folder: String, right: Int, last: String) throws {
        let answers = (0..<4).map { $0 == 3 ? last : $0 < right ? "Yes" : "No" }
        let questions = answers.enumerated().map { number, answer in
            #"{"id":"q\#(number)","image":"pictures/picture-\#(number).png","prompt":"Is there a cup?","#
                + #""task":"popular","label":"yes","answer":\#(quoted(answer))}"#
        }
        try shop.succeed("mkdir -p \(folder)")
        try shop.write(
            #"{"version":1,"seconds":0,"captions":[],"mme":[],"pope":[\#(questions.joined(separator: ","))]}"#,
            to: "\(folder)/scores.json")
    }

    private func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    private let hostile =
        #"</script><script>alert(1)</script><img src="x" onerror="alert(2)"> https://example.com"#

    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try write(shop, "base", right: 1, last: "Perhaps")
        try write(shop, "dpo", right: 3, last: hostile)
        return shop
    }

    private let compare = "sightline eval compare base=base dpo=dpo --resamples 50 --no-ledger"

    @Test func thePageShowsBothAndNothingThatRuns() throws {
        let shop = try workshop()
        try shop.succeed("\(compare) --report page.html")
        let page = try shop.read("page.html")
        #expect(page.contains("<h1>dpo against base</h1>") && page.contains("<h3>POPE</h3>"))
        #expect(page.contains("50.0 → 100.0") && page.contains("percentage points"))
        for tag in ["<script", "</script", "<img"] { #expect(!page.contains(tag), "\(tag)") }
        #expect(page.contains("&lt;img src=&quot;x&quot; onerror=&quot;alert(2)&quot;&gt;"))
        #expect(page.contains("official yes, strict nothing"))
        // Benchmarks that weren't asked have no place in it.
        #expect(!page.contains("<h3>MME</h3>") && !page.contains("Length beside CHAIR"))
        // The same again replaces it, byte for byte.
        try shop.succeed("\(compare) --report page.html")
        #expect(try shop.read("page.html") == page)
    }

    @Test func aRunAloneHasItsFigures() throws {
        let shop = try workshop()
        try shop.succeed("sightline eval compare base=base --resamples 50 --no-ledger --report page.html")
        let page = try shop.read("page.html")
        #expect(page.contains("<h1>base</h1>") && page.contains(">percent</th>") && !page.contains("Δ"))
    }

    /// A copy under another name, the same name whose file is missing, and the same name before another picture.
    @Test func trainedPicturesAreNamed() throws {
        let shop = try workshop()
        try shop.succeed(
            "mkdir -p train/pictures && cp pictures/picture-0.png train/copy.png "
                + "&& (cat pictures/picture-2.png; echo) >train/pictures/picture-2.png")
        let pairs = ["copy.png", "gone/picture-1.png", "pictures/picture-2.png", "other.png"].map {
            #"{"id":"\#($0)","image":"\#($0)","prompt":"?","chosen":"a","rejected":"b"}"# + "\n"
        }
        try shop.write(pairs.joined(), to: "pairs.jsonl")
        let told = try shop.succeed(
            "\(compare) --report page.html --training pairs.jsonl --training-image-root train")
        #expect(
            told.errors.contains("training and test share 1 pictures by their bytes, 1 more by name"),
            "\(told.errors)")
        let page = try shop.read("page.html")
        for words in [
            "The training had 2 of the test&#39;s 4 pictures: 1 with the same bytes, 1 by their names.",
            "The same bytes: 1</summary>\n<ul class=\"names\"><li>pictures/picture-0.png</li>",
            "The same name, bytes unknown: 1</summary>\n<ul class=\"names\"><li>pictures/picture-1.png</li>",
            "or stored anew: 1</summary>\n<ul class=\"names\"><li>pictures/picture-2.png</li>",
            "Files were there for 4 of 4 pictures of the test and 2 of 4 of the training",
        ] { #expect(page.contains(words), "\(words)") }
    }

    /// COCO numbers its pictures once for all of its splits and years.
    @Test func cocosPicturesAreKnownByTheirNumber() throws {
        let shop = try workshop()
        for folder in ["base", "dpo"] {
            try shop.succeed(
                "sed -i 's#pictures/picture-0.png#COCO_val2014_000000000042.jpg#' \(folder)/scores.json")
        }
        try shop.write(
            #"{"id":"1","image":"coco/train2017/000000000042.jpg","prompt":"?"}"# + "\n", to: "prompts.jsonl")
        let told = try shop.succeed("\(compare) --report page.html --training prompts.jsonl")
        #expect(told.errors.contains("0 pictures by their bytes, 1 more by name"), "\(told.errors)")
    }

    @Test(arguments: [
        ("--training pairs.jsonl", 64, "name one with --report"),
        ("--report page.html --image-root pictures", 64, "--training"),
        ("--report summary.json -o summary.json", 64, "two outputs would go there"),
        ("--report prompts.jsonl", 1, "eval compare didn't write it"),
        ("--report page.html --training prompts.jsonl --training-image-root nowhere", 1, "nowhere"),
    ])
    func whatWouldHaveNoEffectOrEraseIsRefused(options: String, code: Int32, says: String) throws {
        let shop = try workshop()
        try shop.write(#"{"id":"1","image":"a.png","prompt":"?"}"# + "\n", to: "prompts.jsonl")
        let ended = try shop.run("\(compare) \(options)")
        #expect(ended.code == code && ended.errors.contains(says), "\(ended.code) \(ended.errors)")
        #expect(!shop.has("page.html"))
    }
}
