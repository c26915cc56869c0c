extension Scene {
    /// `text` with what is false of this scene put right, as RLHF-V's annotators do: an object sentence tells of
    /// what really stands at its place, in the same words; any other false sentence becomes a remark about the place
    /// that the text does not have yet.
    /// What can't be judged stays. nil where nothing is false.
    package func corrected(_ text: String) -> String? {
        let sentences = Lexer.sentences(of: text)
        var right: [String] = []
        for sentence in sentences {
            let isFalse = verdict(on: ParsedSentence(sentence)) == .false
            let remark = context.remarks.first { !sentences.contains($0) && !right.contains($0) }
            guard let kept = isFalse ? corrected(sentence: sentence) ?? remark : sentence else { continue }
            if !isFalse || !sentences.contains(kept) && !right.contains(kept) { right.append(kept) }
        }
        return right == sentences ? nil : right.joined(separator: " ")
    }

    private func corrected(sentence: String) -> String? {
        let parsed = ParsedSentence(sentence)
        guard parsed.claims.count == 1, let claim = parsed.claims.first, claim.placeWords != nil,
            let object = objects.first(where: { $0.isPlaced(claim) })
        else { return nil }
        var words = parsed.words
        words[claim.noun].raw = object.category.rawValue
        if let word = claim.colourWord { words[word].raw = object.colour.rawValue }
        if let word = claim.sizeWord { words[word].raw = object.size.rawValue }
        let text = words.map(\.text).joined(separator: " ")
        return verdict(on: ParsedSentence(text)) == .false ? nil : text
    }
}
