/// Which modules of a model an adapter is for, as `target_modules` of its config has it. PEFT's rules: a name in a list
/// means every module that is called so or ends so, a string is a pattern for whole names, or `all-linear`.
package struct AdapterTargets: Sendable, Equatable {
    enum Names: Sendable, Equatable {
        case listed([String])
        case pattern(String)
        case allLinear
    }

    let names: Names
    /// `exclude_modules`
    var excluded: Names?
    /// `layers_to_transform`
    var layers: [Int]?

    /// Those among `modules`, canonical names of linear layers, that are meant.
    /// - Throws: where a pattern is none.
    package func meant(among modules: [String]) throws -> [String] {
        let (isNamed, isExcluded) = (try Self.test(names), try excluded.map(Self.test))
        return modules.filter { module in
            let spellings = Self.spellings(of: module)
            return spellings.contains(where: isNamed)
                && !(isExcluded.map { spellings.contains(where: $0) } ?? false)
                && (layers.map { $0.contains(Self.layer(of: module) ?? -1) } ?? true)
        }
    }

    /// Listed names that none of `modules` is called by.
    func unmet(by modules: [String]) -> [String] {
        guard case .listed(let list) = names else { return [] }
        return list.filter { name in
            !modules.contains { Self.spellings(of: $0).contains { Self.isCalled($0, name) } }
        }
    }

    private static func test(_ names: Names) throws -> (String) -> Bool {
        switch names {
        case .allLinear: return { _ in true }
        case .listed(let list): return { module in list.contains { isCalled(module, $0) } }
        case .pattern(let pattern):
            let regex = try Regex(pattern)
            return { (try? regex.wholeMatch(in: $0)) != nil }
        }
    }

    private static func isCalled(_ module: String, _ name: String) -> Bool {
        module == name || module.hasSuffix("." + name)
    }

    /// The names that a module has had: PEFT knew it by that of the model that it trained.
    private static func spellings(of module: String) -> [String] {
        let decoder = ["language_model.model.", "language_model.", "text_model.", "model."]
        let before = [
            "model.language_model.": decoder, "model.text_model.": decoder,
            "model.vision_tower.vision_model.": ["model.vision_tower.", "vision_tower.vision_model."],
            "model.visual.": ["visual."], "model.multi_modal_projector.": ["multi_modal_projector."],
        ]
        guard let (prefix, others) = before.first(where: { module.hasPrefix($0.key) }) else {
            return [module]
        }
        return [module] + others.map { $0 + module.dropFirst(prefix.count) }
    }

    private static func layer(of module: String) -> Int? {
        module.firstMatch(of: /\.layers\.(\d+)\./).flatMap { Int($0.output.1) }
    }
}
