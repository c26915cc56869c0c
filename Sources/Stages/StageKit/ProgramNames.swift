/// The programs of the family: what a shell calls, and what a recipe may have a table for.
package enum ProgramNames {
    /// In the order in which a record meets them.
    package static let sections: [(title: String, names: [String])] = [
        (
            "From prompts to a better model",
            ["sample", "self-critic", "reward-train", "calibrate", "pair", "dpo-train", "eval"]
        ),
        ("Models and pictures", ["scenes", "clip-train", "sft-train", "merge", "model"]),
        ("Pairs of other tools", ["import", "export"]),
        ("Looking at runs", ["ledger", "report"]),
    ]

    package static var all: [String] { sections.flatMap(\.names) }

    /// Stages within a program have tables of their own; "ledger" takes no configuration.
    static var tables: [String] {
        all.filter { $0 != "ledger" && $0 != "model" } + [
            "model random", "eval compare", "eval ask-back", "eval blind", "eval rewards",
            "eval judge-requests", "eval judge-local", "eval judge-replies", "eval judge-reviews",
        ]
    }
}
