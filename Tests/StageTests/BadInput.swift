import Testing

/// Something wrong that a user may give a program, and what the program must say to it. In every case nothing
/// may stand under the name `out` afterwards.
struct BadInput: Sendable, CustomTestStringConvertible {
    let name: String
    /// Lines of shell that spoil what a good workshop has.
    let spoil: String
    let command: String
    let code: Int32
    /// All of this must be in the message.
    let says: [String]

    init(_ name: String, spoil: String = "", _ command: String, code: Int32 = 1, says: String...) {
        (self.name, self.spoil, self.command, self.code, self.says) = (name, spoil, command, code, says)
    }

    var testDescription: String { name }

    static let all = lines + values + images + pictures + models + options + outputs + otherStages + exchange

    private static let sample = "sightline sample prompts.jsonl --model $LLAVA --max-tokens 3 -o out"

    /// Lines of a file that are no records.
    private static let lines = [
        BadInput(
            "a torn line", spoil: "head -c 150 prompts.jsonl >torn.jsonl; mv torn.jsonl prompts.jsonl",
            sample,
            says: "sample: prompts.jsonl:2: ", "byte "),
        BadInput(
            "NaN", spoil: #"echo '{"id":"a","prompt":"p","x":NaN}' >prompts.jsonl"#, sample,
            says: "prompts.jsonl:1: ", "byte "),
        BadInput(
            "bytes that are no UTF-8", spoil: #"printf '{"id":"a","prompt":"\xff"}\n' >prompts.jsonl"#,
            sample,
            says: "prompts.jsonl:1: ", "UTF-8"),
        BadInput(
            "an array instead of an object", spoil: "echo '[1]' >>prompts.jsonl", sample,
            says: "prompts.jsonl:5: "),
        BadInput(
            "a key that stands twice", spoil: #"echo '{"id":"a","id":"b","prompt":"p"}' >>prompts.jsonl"#,
            sample,
            says: "prompts.jsonl:5: ", "\"id\""),
        BadInput(
            "text behind the object", spoil: #"echo '{"id":"a","prompt":"p"} x' >>prompts.jsonl"#, sample,
            says: "prompts.jsonl:5: "),
        BadInput(
            "a picture in the place of records", spoil: "cp pictures/picture-0.png prompts.jsonl", sample,
            says: "prompts.jsonl:1: "),
    ]

    /// Records with wrong values.
    private static let values = [
        BadInput(
            "a key of the wrong type", spoil: #"echo '{"id":"a","prompt":7}' >>prompts.jsonl"#, sample,
            says: "prompts.jsonl:5: ", "\"prompt\"", "must be a string"),
        BadInput(
            "no id", spoil: #"echo '{"prompt":"p"}' >>prompts.jsonl"#, sample, says: "prompts.jsonl:5: ",
            "\"id\""),
        BadInput(
            "no prompt", spoil: #"echo '{"id":"a"}' >>prompts.jsonl"#, sample,
            says: "prompts.jsonl:5: ", "\"prompt\""),
        BadInput(
            "an id that stands twice", spoil: "head -1 prompts.jsonl >>prompts.jsonl", sample,
            says: "prompts.jsonl:5: ", "\"p0\"", "prompts.jsonl:1"),
        BadInput(
            "a record of a later version",
            spoil: #"echo '{"version":2,"id":"a","prompt":"p"}' >>prompts.jsonl"#,
            sample, says: "prompts.jsonl:5: ", "version", "2"),
        BadInput(
            "a record that is too long",
            spoil: #"echo '{"id":"a","prompt":"'$(printf 'word %.0s' {1..900})'"}' >>prompts.jsonl"#, sample,
            says: "prompts.jsonl:5: ", "256"),
        BadInput(
            "nesting without end",
            spoil: #"echo '{"id":"a","x":'$(printf '[%.0s' {1..200})'}' >>prompts.jsonl"#,
            sample, says: "prompts.jsonl:5: ", "128"),
        BadInput(
            "more bad records than allowed", spoil: "printf 'x\\ny\\n' >>prompts.jsonl",
            sample + " --skip-bad 1",
            says: "prompts.jsonl:6: "),
    ]

    private static func image(_ path: String) -> String {
        #"echo '{"id":"a","image":"\#(path)","prompt":"p"}' >>prompts.jsonl"#
    }

    /// Images that can't be used.
    private static let images = [
        BadInput(
            "no such image", spoil: image("nowhere.png"), sample, says: "prompts.jsonl:5: ", "nowhere.png"),
        BadInput(
            "a bomb of 60,000 × 60,000 pixels",
            spoil: "cp $FIXTURES/imaging/bomb.png .; \(image("bomb.png"))",
            sample, says: "prompts.jsonl:5: ", "bomb.png", "60000"),
        BadInput(
            "half a JPEG", spoil: "head -c 2500 $FIXTURES/imaging/photo.jpg >half.jpg; \(image("half.jpg"))",
            sample,
            says: "prompts.jsonl:5: ", "half.jpg"),
        BadInput(
            "half a PNG", spoil: "head -c 3000 $FIXTURES/imaging/small.png >half.png; \(image("half.png"))",
            sample,
            says: "prompts.jsonl:5: ", "half.png"),
        BadInput(
            "text that is called a picture", spoil: "echo hello >text.png; \(image("text.png"))", sample,
            says: "prompts.jsonl:5: ", "text.png", "JPEG", "PNG"),
        BadInput("an empty image", spoil: ": >empty.png; \(image("empty.png"))", sample, says: "empty.png"),
        BadInput(
            "a folder as image", spoil: image("pictures"), sample, says: "prompts.jsonl:5: ", "pictures"),
        BadInput(
            "a path that climbs out of the root", spoil: image("../../etc/passwd"),
            sample, says: "prompts.jsonl:5: ", "outside of --image-root"),
        BadInput(
            "a link that leads out of the root", spoil: "ln -s /etc/passwd link.png; \(image("link.png"))",
            "\(sample) --no-links",
            says: "prompts.jsonl:5: ", "link.png", "outside of --image-root"),
    ]
}
