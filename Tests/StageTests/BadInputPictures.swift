import Testing

/// A picture under a name that nobody reads, in every program that would go on without it.
extension BadInput {
    /// `r.jsonl` with one record, whose other keys serve prompts, pairs, lessons and drawn answers alike.
    private static func record(_ picture: String, prompt: String = "What is it?") -> String {
        #"echo '{"id":"a",\#(picture)"prompt":"\#(prompt)","chosen":"A cat.","rejected":"A dog.","#
            + #""samples":[{"prompt":"\#(prompt)","answer":"A cat."}],"#
            + #""candidates":[{"id":"c0","text":"A cat."},{"id":"c1","text":"A dog."}],"nodes":[]}' >r.jsonl; "#
            + "echo '{question} 1 {answer_1} 2 {answer_2}' >ask.txt"
    }

    private static let programs = [
        "sample r.jsonl --model $LLAVA", "sample r.jsonl --model $LLAVA --mode tree --relevance $CLIP",
        "dpo-train r.jsonl --model $LLAVA", "sft-train r.jsonl --model $LLAVA --steps 1",
        "self-critic r.jsonl --model $LLAVA --prompt-file ask.txt", "export r.jsonl --to trl",
        "reward-train r.jsonl --model $LLAVA --prompt-file ask.txt",
    ]

    private static let faults: [(name: String, spoil: String, says: String)] = [
        (
            "two pictures",
            record(#""images":["pictures/picture-0.png","pictures/picture-1.png"],"#),
            #"key "images" is 2 pictures; "#
        ),
        ("an empty list of pictures", record(#""images":[],"#), #"key "images" is an empty list; "#),
        (
            "a picture as image_path", record(#""image_path":"pictures/picture-0.png","#),
            #"key "image_path" is "pictures/picture-0.png"; a picture is named in "image""#
        ),
        (
            "a picture as img", record(#""img":"pictures/picture-0.png","#),
            #"key "img" is "pictures/picture-0.png"; a picture is named in "image""#
        ),
        (
            "a question about a picture that isn't named", record("", prompt: #"<image>\nWhat is it?"#),
            #"key "prompt" is about a picture (<image>), and the record names none; "#
        ),
    ]

    static let pictures = programs.flatMap { program in
        faults.map { fault in
            let grade = "; echo '{#facts}{facts}{/facts}Is it good? {reply} It is' >ask.txt"
            let spoil = program.hasPrefix("reward") ? fault.spoil + grade : fault.spoil
            return BadInput(
                "\(fault.name), of \(program.prefix { $0 != " " })", spoil: spoil,
                "sightline \(program) -o out", says: "r.jsonl:1: ", fault.says)
        }
    }
}
