import Checkpoint
import Foundation
import Pairing
import Records
import Tokenizer

/// Finds what was changed between the two answers of a pair, by the tokens of a model.
struct EditSpans {
    private let tokenizer: Tokenizer
    private let template: ChatTemplate

    /// - Throws: `TokenizerError` for a folder without a tokenizer.
    init(model directory: URL) throws {
        if let language = VilaFolders.language(of: directory) {
            tokenizer = try Tokenizer(directory: language)
            template = try ChatTemplate(vilaReading: tokenizer)
        } else {
            tokenizer = try Tokenizer(directory: directory)
            template = try ChatTemplate(checkpoint: directory, tokenizer: tokenizer)
        }
    }

    /// Spans of weight 1: how much more they count is for training to say.
    ///
    /// The end token takes part in the alignment, as in the released trainer, but stands for no text and is never
    /// in a span.
    /// - Throws: `RecordError` where the tokenizer merges prompt and answer.
    func weights(of pair: PreferencePair) throws -> PreferencePair.Weights {
        let end = tokenizer.eos.map { tokenizer.pieces([$0])[0] } ?? ""
        let text = template.prompt(
            pair.prompt, after: pair.history.texts, end: end, hasImage: pair.image != nil)
        let prompt = tokenizer.encode(text, addSpecialTokens: true)
        let answers = try [("chosen", pair.chosen), ("rejected", pair.rejected)].map { key, answer in
            let whole = tokenizer.encode(text + template.answer(answer), addSpecialTokens: true)
            guard whole.starts(with: prompt) else {
                throw RecordError.invalid(
                    key: key, found: "merged with the end of the prompt by this tokenizer",
                    remedy: "align with the model that will be trained")
            }
            return Array(whole[prompt.count...]) + (tokenizer.eos.map { [$0] } ?? [])
        }
        let edits = EditAlignment(chosen: answers[0], rejected: answers[1])
        func spans(_ ranges: [Range<Int>], _ ids: [Int32]) -> [PreferencePair.WeightedSpan] {
            let bytes = tokenizer.bytes(of: ids, after: prompt, lead: template.answer("").utf8.count)
            return ranges.map {
                .init(
                    begin: bytes[$0.lowerBound].lowerBound, end: bytes[$0.upperBound - 1].upperBound,
                    weight: 1)
            }
        }
        return .init(chosen: spans(edits.chosen, answers[0]), rejected: spans(edits.rejected, answers[1]))
    }
}
