import Testing

/// Cases about models, options and outputs, and those of the stages after `sample`.
extension BadInput {
    private static let sample = "sightline sample prompts.jsonl --max-tokens 3 -o out"

    private static let tree = "\(sample) --model $LLAVA --mode tree --steer-by likelihood --max-sentences 2"

    /// A copy of the tiny LLaVA as `model`, with one thing changed in it.
    private static func model(_ change: String) -> String {
        "cp -r $LLAVA model && chmod -R u+w model && \(change)"
    }

    private static func edited(_ file: String, _ change: String) -> String {
        model("sed -i '\(change)' model/\(file)")
    }

    static let models = [
        BadInput("no such model", "\(sample) --model nowhere", says: "nowhere"),
        BadInput(
            "a model type that nobody here knows", spoil: edited("config.json", #"0,/"llava"/s//"lava"/"#),
            "\(sample) --model model", says: "config.json", "lava"),
        BadInput(
            "a config that is no JSON", spoil: "\(model("echo '{' >model/config.json"))",
            "\(sample) --model model",
            says: "config.json"),
        BadInput(
            "weights cut off in the middle", spoil: model("truncate -s 20000 model/model.safetensors"),
            "\(sample) --model model", says: "model.safetensors"),
        BadInput(
            "a header that lies about offsets",
            spoil: model(
                #"sed -i '1s/"data_offsets":\[0,/"data_offsets":[9,/' model/model.safetensors"#),
            "\(sample) --model model", says: "model.safetensors"),
        BadInput(
            "a header longer than its file",
            spoil: model(
                #"printf '\xff\xff\xff\xff\xff\xff\xff\x7f' | dd of=model/model.safetensors conv=notrunc status=none"#
            ),
            "\(sample) --model model", says: "model.safetensors"),
        BadInput(
            "a tokenizer without merges", spoil: edited("tokenizer.json", #"s/"merges"/"mergers"/"#),
            "\(sample) --model model", says: "tokenizer.json", "merges"),
        BadInput(
            "a model without tokenizer", spoil: model("rm model/tokenizer.json"), "\(sample) --model model",
            says: "tokenizer.json"),
        BadInput(
            "an adapter for another base", "\(sample) --model $TIED --adapter $ADAPTER", says: "adapter"),
        BadInput(
            "an adapter that isn't there", "\(sample) --model $LLAVA --adapter nowhere", says: "nowhere"),
        BadInput("a CLIP in the place of a LLaVA", "\(sample) --model $CLIP", says: "config.json", "clip"),
        BadInput(
            "a LLaVA in the place of a CLIP", "\(sample) --model $LLAVA --mode tree --relevance $LLAVA",
            says: "config.json", "llava"),
        BadInput(
            "a chat template that nobody here knows", "\(sample) --model $LLAVA --template gossip",
            says: "gossip"),
    ]

    static let options = [
        BadInput(
            "an unknown flag", "\(sample) --model $LLAVA --temprature 1", code: 64,
            says: "--temprature", "Did you mean '--temperature'?"),
        BadInput(
            "a value of the wrong kind", "\(sample) --model $LLAVA --count many", code: 64, says: "many"),
        BadInput(
            "a value out of range", "\(sample) --model $LLAVA --top-p 1.5", code: 64, says: "--top-p 1.5"),
        BadInput("no model", sample, code: 64, says: "--model"),
        BadInput("a shard that can't be", "\(sample) --model $LLAVA --shard 3/2", code: 64, says: "3/2"),
        BadInput(
            "unknown keys of a configuration, all at once",
            spoil: #"printf 'stray = 1\n[sample]\ntemprature = 1\ncount = "x"\n' >c.toml"#,
            "\(sample) --model $LLAVA --config c.toml", code: 64,
            says: "c.toml: ", "\"stray\"", "did you mean \"temperature\"?", "count"),
        BadInput(
            "a configuration that is no TOML", spoil: "echo '[sample' >c.toml",
            "\(sample) --model $LLAVA --config c.toml", says: "c.toml:1:"),
        BadInput(
            "a configuration that isn't there", "\(sample) --model $LLAVA --config nowhere.toml",
            says: "nowhere.toml"),
        BadInput(
            "input that isn't there", "sightline sample nowhere.jsonl --model $LLAVA -o out",
            says: "nowhere.jsonl"),
        BadInput("a folder as input", "sightline sample pictures --model $LLAVA -o out", says: "pictures"),
        BadInput(
            "steering without a model to steer by", "\(sample) --model $LLAVA --mode tree", code: 64,
            says: "--relevance"),
        BadInput(
            "group beams of whole answers", "\(sample) --model $LLAVA --draw group-beams", code: 64,
            says: "--mode tree"),
        BadInput(
            "a temperature of group beams",
            "\(sample) --model $LLAVA --mode tree --draw group-beams --temperature 0.5", code: 64,
            says: "--draw sampling"),
        BadInput(
            "options of trees where whole answers are drawn, typed and configured",
            spoil: #"printf '[sample]\nprune = "ends"\n' >c.toml"#,
            "\(sample) --model $LLAVA --keep-top 3 --config c.toml", code: 64,
            says: "--keep-top, --prune: belong to --mode tree"),
        BadInput(
            "a weight of relevance beside a reward model", spoil: sampled(),
            "sightline calibrate r.jsonl --reward $CLIP --model $LLAVA --lambda 0.5 -o out", code: 64,
            says: "--lambda: belongs to scores by likelihood and relevance"),
        BadInput(
            "changed tokens that weigh more where none is marked",
            spoil: #"echo '{"prompt":"p","chosen":"a","rejected":"b"}' >r.jsonl"#, "\(train) --gamma 5",
            says: "--gamma 5.0: no pair says what was changed"),
        BadInput(
            "a scene that can't be read where pairs are held against it",
            spoil:
                #"echo '{"id":"a","scene":{"id":"a"},"prompt":"p","chosen":"x","rejected":"y"}' >r.jsonl"#,
            "sightline pair r.jsonl --from pairs --audit audit.json -o out", says: "r.jsonl:1: ",
            "its scene can't be read"),
        BadInput(
            "options of another source of pairs", spoil: sampled(),
            "sightline pair r.jsonl --from reference --unit sentence --one-order -o out", code: 64,
            says: "--unit: belongs to --from scores"),
        BadInput(
            "a seed where nothing is drawn, of pair", spoil: sampled(),
            "sightline pair r.jsonl --seed 1 -o out",
            code: 64, says: "--seed: belongs to --order random"),
        BadInput(
            "a seed where nothing is drawn, of calibrate", spoil: sampled(), "\(calibrate) --seed 1",
            code: 64,
            says: "--seed: belongs to --picture other"),
        BadInput(
            "a seed where nothing is drawn, of self-critic", spoil: sampled(),
            "sightline self-critic r.jsonl --model $LLAVA --prompt-file ask.txt --seed 1 -o out", code: 64,
            says: "--seed: belongs to --picture other"),
        BadInput(
            "a seed where nothing is drawn, of eval",
            "sightline eval --model $LLAVA --captions prompts.jsonl --seed 1 -o out", code: 64,
            says: "Unknown option '--seed'"),
        BadInput(
            "a seed where nothing is drawn, of merge",
            "sightline merge --model $LLAVA --adapter $ADAPTER --seed 1 -o out", code: 64,
            says: "Unknown option '--seed'"),
        BadInput(
            "tokens of a caption that stands already",
            "sightline eval --answers nowhere --captions prompts.jsonl --caption-tokens 9 -o out", code: 64,
            says: "--caption-tokens: belongs to --model"),
        BadInput(
            "a filter that isn't there", spoil: sampled(), "\(calibrate) --filter emoji", code: 64,
            says: "emoji"),
        BadInput(
            "the score of a search that drew nothing", spoil: sampled(), "\(calibrate) --likelihood beam",
            says: "r.jsonl:1: nodes[0]: no score \"beam\"; draw them by group beams"),
        BadInput(
            "going on with a stream", "sightline sample prompts.jsonl --model $LLAVA --resume", code: 64,
            says: "--resume needs --output"),
        BadInput(
            "a name of a run that leads elsewhere", "\(sample) --model $LLAVA --run ../x", code: 64,
            says: "../x"),
    ]

    static let outputs = [
        BadInput(
            "an output that can't be written", "sightline sample prompts.jsonl --model $LLAVA -o nowhere/out",
            says: "nowhere/out"),
        BadInput(
            "a full disk", "sightline sample prompts.jsonl --model $LLAVA -o /dev/full", says: "/dev/full",
            "No space"),
        BadInput(
            "a full disk behind standard output", "sightline sample prompts.jsonl --model $LLAVA >/dev/full",
            says: "No space"),
        BadInput(
            "a part that another run made",
            spoil: """
                sightline sample prompts.jsonl --model $LLAVA --max-tokens 3 -o out; mv out out.part
                printf '%s\\n' '{"stage":"sample"}' >out.part.json
                """, "\(sample) --model $LLAVA --resume", says: "out.part"),
        BadInput(
            "a part that was begun under another --end-token",
            spoil: "echo torn >>prompts.jsonl; \(tree) --end-token passes || true",
            "\(tree) --end-token ends --resume",
            says: "out.part: another run made it: --end-token was passes and is ends; "),
        BadInput(
            "a run that another process holds", spoil: "mkdir -p runs/night",
            "flock runs/night/.lock \(sample) --model $LLAVA --run night", code: 75, says: "night"),
        BadInput(
            "a damaged ledger", spoil: "head -c 9000 /dev/urandom >l.sqlite",
            "\(sample) --model $LLAVA --ledger l.sqlite", says: "l.sqlite"),
    ]

    /// A record as `sample` writes it; `nodes` and `candidates` may be spoilt.
    private static func sampled(
        node: String = #"{"parent":-1,"text":"A cat.","ids":[5],"logprob":-1.5,"end":"stop"}"#,
        candidate: String = #"{"id":"c0","path":[0],"text":"A cat."}"#
    ) -> String {
        #"echo '{"id":"a","image":"pictures/picture-0.png","prompt":"p","nodes":[\#(node)],"#
            + #""candidates":[\#(candidate)]}' >r.jsonl"#
    }

    private static let calibrate = "sightline calibrate r.jsonl --relevance $CLIP -o out"
    private static let train = "sightline dpo-train r.jsonl --model $LLAVA -o out"
    private static let pairRecord = #"{"id":"a","image":"pictures/picture-0.png","prompt":"p""#

    private static let compared =
        #"{"image":"i","conversations":[{"from":"human","value":"Q"}],"output_1":{"value":"a"},"#
        + #""output_2":{"value":"b"},"preference":1}"#

    static let exchange = [
        BadInput(
            "an array that is cut off", spoil: "printf '[\\n%s,\\n%.40s' '\(compared)' '\(compared)' >r.json",
            "sightline import r.json -o out", says: "import: r.json[1]: ", "cut off"),
        BadInput(
            "an array with text behind it", spoil: "echo '[\(compared)] x' >r.json",
            "sightline import r.json -o out", says: "r.json[1]: text follows the array"),
        BadInput(
            "an array with a comma at its end", spoil: "echo '[\(compared),]' >r.json",
            "sightline import r.json -o out", says: "r.json[1]: no record stands here"),
        BadInput(
            "an array with two commas in a row", spoil: "echo '[\(compared),,\(compared)]' >r.json",
            "sightline import r.json -o out", says: "r.json[1]: no record stands here"),
        BadInput(
            "an array with a broken element", spoil: "echo '[\(compared),{\"a\":1}}]' >r.json",
            "sightline import r.json -o out", says: "r.json[1]: byte 7"),
        BadInput(
            "a preference for the third of two",
            spoil: "echo '[\(compared),\(compared.replacing("1}", with: "3}"))]' >r.json",
            "sightline import r.json -o out", says: "r.json[1]: ", "\"preference\" is 3"),
        BadInput(
            "a row without its picture",
            spoil: #"echo '{"question":"Q","chosen":"a","rejected":"b"}' >r.jsonl"#,
            "sightline import r.jsonl -o out", says: "r.jsonl:1: ", "\"image\""),
        BadInput(
            "a row of no known layout", spoil: #"echo '{"query":"Q"}' >r.jsonl"#,
            "sightline import r.jsonl -o out", says: "r.jsonl:1: unknown layout: the keys are query; "),
        BadInput(
            "a format that nobody here knows", "sightline export prompts.jsonl --to parquet -o out", code: 64,
            says: "parquet"),
        BadInput(
            "prompts in the place of pairs", "sightline export prompts.jsonl --to trl -o out",
            says: "export: prompts.jsonl:1: ", "\"chosen\""),
    ]

    static let otherStages = [
        BadInput(
            "a sentence before its parent",
            spoil: sampled(node: #"{"parent":3,"text":"A","ids":[5],"logprob":-1,"end":"stop"}"#),
            calibrate, says: "calibrate: r.jsonl:1: ", "nodes[0]", "parent"),
        BadInput(
            "an end that nobody knows",
            spoil: sampled(node: #"{"parent":-1,"text":"A","ids":[5],"logprob":-1,"end":"eos"}"#),
            calibrate, says: "r.jsonl:1: ", "nodes[0]", "\"eos\""),
        BadInput(
            "a path of sentences that aren't there",
            spoil: sampled(candidate: #"{"id":"c0","path":[4],"text":"A"}"#),
            calibrate, says: "r.jsonl:1: ", "candidates[0]", "path"),
        BadInput(
            "a sentence without log-probability",
            spoil: sampled(node: #"{"parent":-1,"text":"A","ids":[5],"end":"stop"}"#),
            calibrate, says: "r.jsonl:1: ", "nodes[0]", "\"logprob\""),
        BadInput(
            "neither a relevance model nor relevance", spoil: sampled(), "sightline calibrate r.jsonl -o out",
            says: "r.jsonl:1: ", "relevance"),
        BadInput(
            "answers without scores", spoil: sampled(), "sightline pair r.jsonl -o out", says: "r.jsonl:1: ",
            "calibrated"),
        BadInput(
            "a pair without its worse half", spoil: "echo '\(pairRecord),\"chosen\":\"x\"}' >r.jsonl", train,
            says: "dpo-train: r.jsonl:1: ", "\"rejected\""),
        BadInput(
            "a pair that is too long",
            spoil:
                "echo '\(pairRecord),\"chosen\":\"x\",\"rejected\":\"'$(printf 'word %.0s' {1..900})'\"}' >r.jsonl",
            train, says: "r.jsonl:1: ", "256"),
        BadInput(
            "a pair of an answer with itself",
            spoil: "echo '\(pairRecord),\"chosen\":\"x y\",\"rejected\":\"x  y\"}' >r.jsonl", train,
            says: "r.jsonl:1: ", "\"rejected\" is the same as \"chosen\""),
        BadInput(
            "a pair with an empty answer",
            spoil: "echo '\(pairRecord),\"chosen\":\"x\",\"rejected\":\"\"}' >r.jsonl", train,
            says: "r.jsonl:1: ", "\"rejected\" is empty"),
        BadInput(
            "an end token in the text of an answer",
            spoil: "echo '\(pairRecord),\"chosen\":\"x</s> y\",\"rejected\":\"z\"}' >r.jsonl", train,
            says: "r.jsonl:1: the answer holds the token </s> as text"),
        BadInput(
            "turns that were made one text",
            spoil:
                "echo '{\"id\":\"a\",\"prompt\":\"Who? ASSISTANT: A man. USER: Where?\"}' >prompts.jsonl",
            "\(sample) --model $LLAVA", says: "prompts.jsonl:1: the question holds \"ASSISTANT:\"",
            "\"history\""),
        BadInput(
            "earlier turns that a critic would pass over",
            spoil: sampled(
                candidate:
                    #"{"id":"c0","text":"A"},{"id":"c1","text":"B"}],"history":[{"prompt":"Q","answer":"A"}"#)
                + "; echo '{question} {answer_1} {answer_2}' >ask.txt",
            "sightline self-critic r.jsonl --model $LLAVA --prompt-file ask.txt -o out",
            says: "r.jsonl:1: ", "\"history\" is 1 earlier turns"),
        BadInput("no pairs at all", spoil: ": >r.jsonl", train, says: "no pairs"),
        BadInput(
            "a question without its right answer",
            spoil:
                #"echo '{"question_id":1,"image":"pictures/picture-0.png","text":"Is it?","split":"random"}' >r.jsonl"#,
            "sightline eval --model $LLAVA --pope r.jsonl -o out", says: "r.jsonl:1: ", "label"),
        BadInput(
            "captions of pictures that nobody knows",
            "sightline eval --model $LLAVA --captions prompts.jsonl -o out",
            says: "prompts.jsonl:1: ", "scene"),
        BadInput(
            "lessons without samples", "sightline sft-train prompts.jsonl --model $LLAVA -o out",
            says: "prompts.jsonl:1: ", "\"samples\""),
        BadInput(
            "weights that don't fit their files",
            "sightline sft-train prompts.jsonl --model $LLAVA --weight 1 --weight 2 -o out", code: 64,
            says: "--weight: 2 weights for 1 files"),
        BadInput(
            "pictures whose scene isn't told", "sightline clip-train prompts.jsonl --steps 1 -o out",
            says: "prompts.jsonl:1: ", "\"scene\""),
        BadInput(
            "pictures of no size", "sightline scenes --split test --count 1 --size 4 -o out", code: 64,
            says: "--size"),
    ]
}
