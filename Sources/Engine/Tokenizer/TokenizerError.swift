/// Why a tokenizer can't be read, trained or used. Every message says where, what was found and what to do.
package enum TokenizerError: Error, CustomStringConvertible, Equatable {
    case unreadable(file: String, reason: String)
    case malformed(file: String, reason: String)
    case withoutMerges(file: String)
    case unknownModel(file: String, type: String)
    case unsupported(file: String, part: String, found: String)
    case idOutOfRange(id: Int32, size: Int)
    case unknownTemplate(name: String, known: [String])
    case unrecognisedTemplate(file: String, reason: String, known: [String])
    case vocabularyTooSmall(asked: Int, needed: Int)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "\(file): \(reason); check the path, or export the tokenizer with save_pretrained"
        case .malformed(let file, let reason):
            "\(file): \(reason); fetch the file again, or export the tokenizer with save_pretrained"
        case .withoutMerges(let file):
            "\(file): the BPE model has no merges; export it from the fast tokenizer, whose tokenizer.json has them"
        case .unknownModel(let file, let type):
            "\(file): the model type is \(type), and only BPE and Unigram are known; use a checkpoint with one of these"
        case .unsupported(let file, let part, let found):
            "\(file): \(part) \(found) is not known; use a LLaMA, Gemma, byte-level (GPT-2, Llama 3, Qwen2), CLIP or SigLIP tokenizer"
        case .idOutOfRange(let id, let size):
            "token id \(id): the vocabulary ends at \(size - 1); use ids made by this tokenizer (compare the digests)"
        case .unknownTemplate(let name, let known):
            "template \(name): no such template; choose one of \(known.joined(separator: ", "))"
        case .unrecognisedTemplate(let file, let reason, let known):
            "\(file): its chat template can't be followed (\(reason)); choose one with --template: "
                + known.joined(separator: ", ")
        case .vocabularyTooSmall(let asked, let needed):
            "vocabulary of \(asked): special tokens, bytes and characters alone take \(needed); ask for more than that"
        }
    }
}
