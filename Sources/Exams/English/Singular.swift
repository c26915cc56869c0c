/// Singulars as `singularize` of pattern.en (`clips/pattern` at d25511f) makes them of words in lower case, with its
/// mistakes: "bus" becomes "bu", "ties" "ty", "four" "fmy", and words that end one of its uninflected words ("s",
/// "ware") stay as they are.
package func singular(_ word: String) -> String {
    let parts = word.split(separator: "-", omittingEmptySubsequences: false)
    if parts.count > 1, prepositions.contains(parts[1]) {
        return ([singular(String(parts[0]))] + parts.dropFirst().map(String.init)).joined(separator: "-")
    }
    if word.hasSuffix("'") { return singular(String(word.dropLast())) + "'s" }
    if unchanged.contains(where: { $0.hasSuffix(word) }) { return word }
    if wordsWithIE.contains(where: { word.hasSuffix($0 + "s") }) { return word }
    if let (plural, own) = irregular.first(where: { word.hasSuffix($0.plural) }) {
        return String(word.dropLast(plural.count)) + own
    }
    if word.hasPrefix("oxen"), !rules.prefix(8).contains(where: { $0.applied(to: word) != nil }) {
        return "ox" + String(word.dropFirst(4))
    }
    for rule in rules {
        if let own = rule.applied(to: word) { return own }
    }
    return word
}

/// An ending that gives way to another.
private struct SingularRule {
    let ending: String
    let replacement: String
    /// What stands before it: one of these, or none of these.
    var before: (letters: String, isOneOf: Bool)?
    /// The whole word.
    var isWhole = false

    init(_ ending: String, _ replacement: String, after letters: String) {
        (self.ending, self.replacement, before) = (ending, replacement, (letters, true))
    }

    /// - Parameter letters: with none, any letter must stand before the ending.
    init(_ ending: String, _ replacement: String, notAfter letters: String) {
        (self.ending, self.replacement, before) = (ending, replacement, (letters, false))
    }

    init(_ ending: String, _ replacement: String, isWhole: Bool = false) {
        (self.ending, self.replacement, self.isWhole) = (ending, replacement, isWhole)
    }

    func applied(to word: String) -> String? {
        guard word.hasSuffix(ending) else { return nil }
        let stem = word.dropLast(ending.count)
        if isWhole && !stem.isEmpty { return nil }
        if let before {
            guard let last = stem.last, before.letters.contains(last) == before.isOneOf else { return nil }
        }
        return String(stem) + replacement
    }
}

private let rules: [SingularRule] =
    [
        .init("ae", "a", notAfter: ""), .init("itis", "itis", notAfter: ""),
        .init("eaux", "eau", notAfter: ""), .init("quizzes", "quiz"), .init("matrices", "matrix"),
    ] + ["ap", "vert", "ind"].map { .init($0 + "ices", $0 + "ex") }
    + ["alias", "status"].map { .init($0 + "es", $0) }
    + [.init("i", "us", after: "octp|vir")]
    + ["cris", "ax", "test"].map { .init($0 + "es", $0 + "is") }
    + [
        .init("shoes", "shoe"), .init("oes", "o"), .init("buses", "bus"), .init("ice", "ouse", after: "m|l"),
    ] + ["x", "ch", "ss", "sh"].map { .init($0 + "es", $0) }
    + [
        .init("movies", "movie"), .init("ombies", "ombie", notAfter: ""), .init("series", "series"),
        .init("ies", "y", notAfter: "aeiouy"), .init("quies", "quy"),
        .init("lves", "lf", after: "aeo"), .init("eaves", "eaf", notAfter: "d"), .init("arves", "arf"),
        .init("erves", "erve"), .init("ives", "ife", after: "nlw"), .init("ves", "f", after: "lr"),
        .init("ves", "ve", after: "aeo"), .init("sives", "sive"), .init("tives", "tive"),
        .init("hives", "hive"), .init("ves", "fe", notAfter: "f"),
        // The second "a" is the rule's own.
        .init("analyses", "analysis", isWhole: true), .init("analyses", "analyasis"),
    ] + ["ba", "diagno", "parenthe", "progno", "synop", "the"].map { .init($0 + "ses", $0 + "sis") }
    + [.init("opses", "opsis", notAfter: ""), .init("yses", "ysis", notAfter: "")]
    + ["h", "d", "r", "o", "n", "b", "cl", "p"].map { .init($0 + "oses", $0 + "ose") }
    + [
        "fruct", "gluc", "galact", "lact", "ket", "malt", "rib", "sacchar", "cellul",
    ].map { .init($0 + "ose", $0 + "ose") }
    + [
        .init("oses", "osis", notAfter: ""), .init("a", "um", after: "ti"), .init("news", "news"),
        .init("s", ""),
    ]

private let prepositions: Set<Substring> = [
    "about", "above", "across", "after", "among", "around", "at", "athwart", "before", "behind", "below",
    "beneath", "beside", "besides", "between", "betwixt", "beyond", "but", "by", "during", "except", "for",
    "from", "in", "into", "near", "of", "off", "on", "onto", "out", "over", "since", "till", "to", "under",
    "until", "unto", "upon", "with",
]

/// Uninflected and uncountable.
private let unchanged = """
    bison bream breeches britches carp chassis christmas clippers cod contretemps corps debris diabetes djinn eland elk \
    flounder gallows georgia graffiti headquarters herpes high-jinks homework innings jackanapes mackerel measles mews \
    mumps news pincers pliers proceedings rabies salmon scissors series shears species swine swiss trout tuna whiting \
    wildebeest advice bread butter cheese electricity equipment fruit furniture garbage gravel happiness information \
    ketchup knowledge love luggage mathematics mayonnaise meat mustard news progress research rice sand software \
    understanding water
    """.split(separator: " ")

/// Two more, "^pie" and "^tie", end no word.
private let wordsWithIE = """
    alergie auntie beanie birdie bogie bombie collie cookie cutie doggie eyrie freebie goonie groupie hankie hippie \
    hoagie hottie indie junkie laddie laramie lingerie meanie newbie nightie oldie pixie quickie reverie rookie softie \
    sortie stoolie sweetie techie toughie valkyrie veggie weenie yuppie zombie
    """.split(separator: " ")

private let irregular: [(plural: Substring, singular: Substring)] = """
    atlantes atlas atlases atlas axes axe beeves beef brethren brother children child corpora corpus corpuses corpus \
    ephemerides ephemeris feet foot ganglia ganglion geese goose genera genus genii genie graffiti graffito helves helve \
    kine cow leaves leaf loaves loaf men man mongooses mongoose monies money moves move mythoi mythos numena numen \
    occipita occiput octopodes octopus opera opus opuses opus our my oxen ox penes penis penises penis people person \
    sexes sex soliloquies soliloquy teeth tooth testes testis trilbys trilby turves turf zoa zoon
    """.split(separator: " ").pairs

extension [Substring] {
    fileprivate var pairs: [(plural: Substring, singular: Substring)] {
        stride(from: 0, to: count - 1, by: 2).map { (self[$0], self[$0 + 1]) }
    }
}
