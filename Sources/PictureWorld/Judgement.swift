package enum Verdict: String, Codable, Sendable {
    case `true`, `false`, unknown

    /// One false claim makes a text false; one that can't be judged leaves it open.
    static func all(_ verdicts: some Sequence<Verdict>) -> Verdict {
        var result: Verdict?
        for verdict in verdicts {
            switch (result, verdict) {
            case (_, .false): return .false
            case (nil, _), (.true?, .unknown): result = verdict
            default: break
            }
        }
        return result ?? .unknown
    }
}

/// One mention held against the scene. An attribute that isn't claimed is nil; attributes are those of the
/// object of the category that fits best.
package struct MentionVerdict: Sendable, Equatable {
    package let category: Category
    package let isPresent: Bool
    package let isColourRight: Bool?
    package let isSizeRight: Bool?
    package let isPlaceRight: Bool?
    package let isCountRight: Bool?
    package let verdict: Verdict
}

package struct Judgement: Sendable, Equatable {
    package let verdict: Verdict
    package let mentions: [MentionVerdict]
    /// One per relation claimed.
    package let relations: [Bool]
    /// What the picture has and the text names, without denying it.
    package let named: Set<Category>
    /// Sentences that say something untrue.
    package let falseSentences: Int

    /// Categories named (and not denied) that the picture doesn't have: CHAIR's hallucinated mentions.
    package var invented: [Category] {
        mentions.filter { !$0.isPresent }.map(\.category)
    }

    /// Wrong colours, sizes, places and counts of objects that are there.
    package var wrongAttributes: Int {
        mentions.filter(\.isPresent).reduce(0) { count, mention in
            count
                + [mention.isColourRight, mention.isSizeRight, mention.isPlaceRight, mention.isCountRight]
                .count { $0 == false }
        }
    }
}

extension Scene {
    /// Judges any text in the captions' language, of one sentence or several.
    package func judge(_ text: String) -> Judgement {
        let parts = Lexer.sentences(of: text).map { judge(ParsedSentence($0)) }
        return Judgement(
            verdict: .all(parts.map(\.verdict)), mentions: parts.flatMap(\.mentions),
            relations: parts.flatMap(\.relations),
            named: parts.reduce(into: []) { $0.formUnion($1.named) },
            falseSentences: parts.reduce(0) { $0 + $1.falseSentences })
    }

    package func judge(_ sentence: ParsedSentence) -> Judgement {
        let verdict = verdict(on: sentence)
        return Judgement(
            verdict: verdict,
            mentions: sentence.claims.map(judge),
            relations: sentence.relations.map { holds($0, in: sentence) },
            named: Set(sentence.claims.filter { !$0.isDenied && has($0.category) }.map(\.category)),
            falseSentences: verdict == .false ? 1 : 0)
    }

    /// The verdict alone, cheap enough for every sentence of a batch against every picture of it.
    package func verdict(on sentence: ParsedSentence) -> Verdict {
        if sentence.isHedged { return .unknown }
        if sentence.claims.isEmpty && sentence.context == nil { return .unknown }
        if let claimed = sentence.context, claimed != context { return .false }
        for claim in sentence.claims where !holds(claim) { return .false }
        for relation in sentence.relations where !holds(relation, in: sentence) { return .false }
        return .true
    }

    private func holds(_ claim: Claim) -> Bool {
        let fitting = objects.count { $0.fits(claim) }
        if claim.isDenied { return fitting == 0 }
        return claim.count.map { fitting == $0 } ?? (fitting > 0)
    }

    /// Some object that fits the one claim stands so to some other that fits the other.
    private func holds(_ claim: RelationClaim, in sentence: ParsedSentence) -> Bool {
        let subject = sentence.claims[claim.subject]
        let object = sentence.claims[claim.object]
        return objects.contains { a in
            a.fits(subject)
                && objects.contains { b in b.fits(object) && claim.relation.holds(a.place, b.place) }
        }
    }

    /// The object of the claim's category that fits it best.
    func best(for claim: Claim) -> SceneObject? {
        objects.filter { $0.category == claim.category }.max { $0.score(claim) < $1.score(claim) }
    }

    private func judge(_ claim: Claim) -> MentionVerdict {
        let best = best(for: claim)
        let claimsPlace = claim.row != nil || claim.column != nil
        return MentionVerdict(
            category: claim.category,
            isPresent: best != nil || claim.isDenied,
            isColourRight: best.flatMap { object in claim.colour.map { $0 == object.colour } },
            isSizeRight: best.flatMap { object in claim.size.map { $0 == object.size } },
            isPlaceRight: best.flatMap { claimsPlace ? $0.isPlaced(claim) : nil },
            isCountRight: claim.count.map { count in objects.count { $0.fits(claim) } == count },
            verdict: holds(claim) ? .true : .false)
    }
}

extension SceneObject {
    func isPlaced(_ claim: Claim) -> Bool {
        (claim.row == nil || claim.row == row) && (claim.column == nil || claim.column == column)
    }

    fileprivate func fits(_ claim: Claim) -> Bool {
        category == claim.category && (claim.colour == nil || claim.colour == colour)
            && (claim.size == nil || claim.size == size) && isPlaced(claim)
    }

    fileprivate func score(_ claim: Claim) -> Int {
        (claim.colour == colour ? 1 : 0) + (isPlaced(claim) ? 1 : 0) + (claim.size == size ? 1 : 0)
    }
}
