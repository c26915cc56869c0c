import Foundation
import Testing

/// A checkpoint that something is wrong with, and the words of the one sentence that must be said of it.
struct BrokenCheckpoint: Sendable, CustomTestStringConvertible {
    /// As `model random` calls it, or a folder of the oracle.
    let family: String
    let name: String
    /// Lines of shell in the checkpoint's folder. `put KEY VALUE` sets a number or string wherever it stands in config.json,
    /// `index TENSOR SHARD` makes an index over the weights, as `weights`, with one more line.
    let spoil: String
    let says: String

    init(_ family: String, _ name: String, _ spoil: String, says: String) {
        (self.family, self.name, self.spoil, self.says) = (family, name, spoil, says)
    }

    var testDescription: String { "\(family): \(name)" }

    static let all = weights + indices + towers + sizes + values + files + templates + processors + relevance

    private static let weights = [
        BrokenCheckpoint(
            "llava", "truncated", "truncate -s -100 model.safetensors", says: "the file is cut short"),
        BrokenCheckpoint("llava", "empty", ": >model.safetensors", says: "the file has 0 bytes"),
        BrokenCheckpoint(
            "smolvlm", "weights that are a folder", "rm model.safetensors; mkdir model.safetensors",
            says: "not a regular file"),
        BrokenCheckpoint(
            "llava", "weights that are a pipe", "rm model.safetensors; mkfifo model.safetensors",
            says: "not a regular file"),
        BrokenCheckpoint("qwen2-vl", "no weights", "rm model.safetensors", says: "it has neither"),
        BrokenCheckpoint(
            "llava", "a header of 100 MB",
            #"(printf '\000\341\365\005\000\000\000\000{'; head -c 99999998 /dev/zero | tr '\0' ' '; printf '}') >model.safetensors"#,
            says: "there is no tensor"),
        BrokenCheckpoint(
            "llava", "a header beyond the file",
            #"printf '\000\341\365\005\000\000\000\000{}' >model.safetensors"#,
            says: "the header claims 100000000 bytes"),
        BrokenCheckpoint(
            "llava-onevision", "wrong shapes", "rewrite '[48,32]' '[32,48]'",
            says: "its shape is [32, 48], config.json asks for [48, 32]"),
        BrokenCheckpoint(
            "smolvlm", "integers for numbers", #"rewrite '"BF16","shape":[3' '"I32" ,"shape":[3'"#,
            says: "I32"),
        BrokenCheckpoint(
            "qwen2.5-vl", "sizes of zero", "rewrite '[48,32]' '[0 ,32]'", says: "needs 0"),
    ]

    private static let indices = [
        BrokenCheckpoint(
            "llava", "a truncated shard", "index a weights; truncate -s 9000 weights",
            says: "weights: tensor"),
        BrokenCheckpoint(
            "llava", "a shard that lacks the tensor", "index nowhere.weight weights",
            says: "it places nowhere.weight in weights, which does not hold it"),
        BrokenCheckpoint(
            "qwen2-vl", "a shard that is missing", "index a other", says: "1 of 2 shards are missing: other"),
        BrokenCheckpoint(
            "llava", "a shard outside the folder", "index a ../../weights", says: "is not a plain file name"),
        BrokenCheckpoint("smolvlm", "a shard without a name", "index a ''", says: "is not a plain file name"),
    ]

    private static let towers = [
        BrokenCheckpoint(
            "llava", "no tower", "rewrite vision_tower vision_towel",
            says: "there is no tensor model.vision_tower"),
        BrokenCheckpoint(
            "llava-onevision", "no end of a row", "rewrite image_newline image_newlime",
            says: "there is no tensor model.image_newline"),
        BrokenCheckpoint(
            "smolvlm", "no connector", "rewrite connector konnector",
            says: "there is no tensor model.connector"),
        BrokenCheckpoint(
            "qwen2.5-vl", "no tower", "rewrite visual fisual", says: "there is no tensor model.visual"),
    ]

    private static let sizes = [
        BrokenCheckpoint(
            "llava", "a width of 10^9", "put hidden_size 1000000000", says: "1000000000 is not a size"),
        BrokenCheckpoint(
            "smolvlm", "10^8 layers", "put num_hidden_layers 100000000", says: "100000000 is not a size"),
        BrokenCheckpoint(
            "llava", "fewer layers than weights have", "put num_hidden_layers 1",
            says: "it has 1 layers, and the weights have more"),
        BrokenCheckpoint(
            "llava", "10^7 layers", "put num_hidden_layers 10000000", says: "there is no tensor"),
        BrokenCheckpoint(
            "qwen2-vl", "2^31 words", "put vocab_size 2147483648", says: "2147483648 is not a size"),
        BrokenCheckpoint(
            "llava", "pictures of 10^6", "put image_size 1000000",
            says: "position_embedding.weight: its shape"),
        BrokenCheckpoint(
            "llava", "a patch larger than the picture", "put patch_size 64",
            says: "64 is larger than the image of 32 pixels"),
        BrokenCheckpoint(
            "llava-onevision", "heads that don't divide", "put num_attention_heads 5", says: "does not divide"
        ),
        BrokenCheckpoint(
            "smolvlm", "a shuffle that doesn't divide", "put scale_factor 3", says: "3 does not divide"),
        BrokenCheckpoint(
            "qwen2.5-vl", "a patch of 2^24", "put patch_size 16777216", says: "16777216"),
        BrokenCheckpoint(
            "qwen2.5-vl", "a window of 0", "put window_size 0", says: "window_size: 0 is not a size"),
        BrokenCheckpoint(
            "qwen2-vl", "fewer than none", "put num_key_value_heads -2", says: "-2 is not a size"),
        BrokenCheckpoint(
            "llava", "a context of 2^24", "put max_position_embeddings 16777216",
            says: "16777216 is more than"),
    ]

    private static let values = [
        BrokenCheckpoint("llava", "NaN", "put rms_norm_eps NaN", says: "it is not valid JSON"),
        BrokenCheckpoint(
            "llava", "an end token beyond 32 bits", "put eos_token_id 1099511627776",
            says: "is not a token id"),
        BrokenCheckpoint(
            "llava", "positions turned to infinity", "put rope_theta 1e-300",
            says: "turn by what is no number"),
        BrokenCheckpoint(
            "llava", "a window of no tokens",
            #"put model_type '"llava"'; sed -i 's/"text_config" : {/&"model_type":"mistral","sliding_window":0,/; /"text_config"/,/}/{/"model_type" : /d;}' config.json"#,
            says: "0 is not above zero"),
        BrokenCheckpoint(
            "qwen2-vl", "sections that overflow",
            "sed -i '/mrope_section/,/]/s/ [12]/ 4611686018427387904/' config.json",
            says: "doesn't part the 4 frequencies"),
        BrokenCheckpoint(
            "llava", "a model of another kind", #"sed -i 's/: "llava"/: "gpt2"/' config.json"#,
            says: "\"gpt2\" is not supported"),
        BrokenCheckpoint(
            "llava", "an end token that isn't embedded",
            #"sed -i 's/"id": 259/"id": 999/; s/"<\/s>": 259/"<\/s>": 999/' tokenizer.json"#, says: "999"),
    ]

    private static let files = [
        BrokenCheckpoint(
            "llava", "config.json that is a folder", "rm config.json; mkdir config.json",
            says: "Is a directory"),
        BrokenCheckpoint("smolvlm", "an empty config.json", ": >config.json", says: "it is not valid JSON"),
        BrokenCheckpoint(
            "llava", "a tokenizer of 8 GB", "truncate -s 8G tokenizer.json", says: "File too large"),
        BrokenCheckpoint(
            "qwen2.5-vl", "no tokenizer", "rm tokenizer.json", says: "tokenizer.json: there is no such file"),
        BrokenCheckpoint(
            "llava", "no preprocessing", "rm preprocessor_config.json",
            says: "preprocessor_config.json: there is no such file; fetch it"),
    ]

    private static let templates = [
        BrokenCheckpoint(
            "llava", "a template of 9 MB", "yes '{{ x }}' | head -c 9000000 >chat_template.jinja",
            says: "it has 9000000 bytes"),
        BrokenCheckpoint(
            "llava", "a template that overflows", "echo '{{ 9223372036854775807 + 1 }}' >chat_template.jinja",
            says: "a number beyond 64 bits"),
        BrokenCheckpoint(
            "llava", "a template of many depths",
            "yes '{% if 1 %}' | head -n 50000 >chat_template.jinja", says: "it nests too deeply"),
        BrokenCheckpoint(
            "llava", "a template that doubles",
            "(echo '{% set n = \"ab\" %}'; yes '{% set n = n ~ n %}' | head -n 60) >chat_template.jinja",
            says: "a text without end"),
    ]

    private static let processors = [
        BrokenCheckpoint(
            "llava-onevision", "no shapes",
            #"sed -i -E 's/("image_grid_pinpoints": ).*]],/\1[],/' preprocessor_config.json"#,
            says: "image_grid_pinpoints"),
        BrokenCheckpoint(
            "llava-onevision", "a shape of 10^9",
            #"sed -i -E 's/("image_grid_pinpoints": ).*]],/\1[[1000000000,32]],/' preprocessor_config.json"#,
            says: "image_grid_pinpoints"),
        BrokenCheckpoint(
            "smolvlm", "tiles without tokens",
            #"sed -i 's/"longest_edge": 128/"longest_edge": 16000/' preprocessor_config.json"#,
            says: "there are tokens for 6"),
        BrokenCheckpoint(
            "qwen2-vl", "more pixels at least than at most",
            #"sed -i 's/"min_pixels": 256/"min_pixels": 99999999/' preprocessor_config.json"#,
            says: "give at least min_pixels"),
    ]

    static let relevance = [
        BrokenCheckpoint(
            "clip-first-eos", "no tower", "rewrite vision_model fision_model",
            says: "there is no tensor vision_model"),
        BrokenCheckpoint(
            "clip-first-eos", "10^8 layers", "put num_hidden_layers 100000000", says: "is not a size"),
        BrokenCheckpoint(
            "siglip-fixed", "truncated", "truncate -s -100 model.safetensors", says: "the file is cut short"),
        BrokenCheckpoint(
            "siglip-fixed", "no tokenizer", "rm spiece.model", says: "there is no such file"),
        BrokenCheckpoint("siglip-fixed", "an empty vocabulary", ": >spiece.model", says: "spiece.model"),
        BrokenCheckpoint(
            "siglip-flexible", "patches in no square", "put num_patches 15", says: "15, which is no square"),
    ]
}

/// What can't be used is refused in one sentence, soon, and before memory is taken for it.
@Suite struct BrokenCheckpointTests {
    private static let tools = """
        set +o pipefail
        put() { sed -i -E "s/(\\"$1\\" ?: )[^,]*/\\1$2/" config.json; }
        rewrite() { LC_ALL=C sed -i "s/$(sed 's/[][]/\\\\&/g' <<<"$1")/$2/g" model.safetensors; }
        index() {
            mv model.safetensors weights
            echo "{\\"weight_map\\":{\\"$1\\":\\"$2\\",\\"lm_head.weight\\":\\"weights\\"}}" >model.safetensors.index.json
        }

        """

    @Test(arguments: BrokenCheckpoint.all) func isRefusedInOneSentence(_ broken: BrokenCheckpoint) throws {
        let shop = try Workshop(prompts: 1)
        let isRelevance = BrokenCheckpoint.relevance.contains { $0.family == broken.family }
        try shop.succeed(
            isRelevance
                ? "cp -r $FIXTURES/oracle/\(broken.family) m; sightline sample prompts.jsonl --model $LLAVA --max-tokens 2 -o s.jsonl"
                : "sightline model random \(broken.family) --size tiny -o m")
        try shop.succeed(Self.tools + "cd m\n" + broken.spoil)
        let program = isRelevance ? "calibrate s.jsonl --relevance" : "sample prompts.jsonl --model"
        let ended = try shop.run("ulimit -v 4000000; timeout 30 sightline \(program) m -o out")
        let lines = ended.errors.split(separator: "\n")
        #expect(ended.code == 1 && lines.count == 1, "\(ended.code): \(ended.errors)")
        let start = isRelevance ? "calibrate: " : "sample: "
        #expect(
            ended.errors.hasPrefix("\(start)\(shop.path)/m") || ended.errors.hasPrefix("\(start)m"),
            "\(ended.errors)")
        #expect(ended.errors.contains("; ") && ended.errors.contains(broken.says), "\(ended.errors)")
        #expect(!shop.has("out"))
    }
}
