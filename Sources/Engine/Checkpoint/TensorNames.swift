/// One spelling for the tensor and module names that transformers has used for LLaVA over the years.
///
/// Since 4.52 the modules live under `model.`, yet `save_pretrained` kept writing the older names until
/// now;
/// since 5.0 the vision tower has no inner `vision_model`. CLIPModel's own names never changed.
package enum TensorNames {
    private static let renames: [(old: String, new: String)] = [
        ("language_model.lm_head.", "lm_head."),
        ("language_model.model.", "model.language_model."),
        ("language_model.", "model.language_model."),
        ("vision_tower.", "model.vision_tower."),
        ("multi_modal_projector.", "model.multi_modal_projector."),
    ]

    /// The name under which this package looks the module of an adapter up. LLaVA's own training has its decoder at
    /// `model.layers`, as has any that was given the text decoder alone; that decoder itself has `layers`.
    static func module(_ name: String) -> String {
        let decoder = "model.language_model."
        if name.hasPrefix("model.layers.") { return decoder + name.dropFirst("model.".count) }
        if name.hasPrefix("layers.") { return decoder + name }
        return canonical(name)
    }

    /// The name under which this package looks tensors and modules up, and writes them.
    package static func canonical(_ name: String) -> String {
        var result = name
        if let (old, new) = renames.first(where: { name.hasPrefix($0.old) }) {
            result = new + name.dropFirst(old.count)
        }
        let tower = "model.vision_tower."
        if result.hasPrefix(tower), !result.hasPrefix(tower + "vision_model.") {
            result = tower + "vision_model." + result.dropFirst(tower.count)
        }
        return result
    }
}
