/// One spelling for the tensor and module names that a model has had over the years.
///
/// Since transformers 4.52 the modules live under `model.`, yet `save_pretrained` kept writing the older names until
/// now; since 5.0 a LLaVA's vision tower has no inner `vision_model`. Qwen2-VL was published with `model.layers` and
/// `visual`, and adapters of LLaVA's own training name its decoder `model.layers`. The names of CLIPModel and SmolVLM never
/// changed. LLaVA's own code has a decoder's names on top, a tower in a tower and a projector of numbered steps; adapters of
/// VILA's training have its decoder as `llm`.
package enum TensorNames {
    static let tower = "model.vision_tower."

    private static let renames: [(old: String, new: String)] = [
        ("language_model.lm_head.", "lm_head."),
        ("llm.model.", "model.language_model."),
        ("vision_tower.vision_tower.", tower),
        ("language_model.model.", "model.language_model."),
        ("language_model.", "model.language_model."),
        ("vision_tower.", "model.vision_tower."),
        ("multi_modal_projector.", "model.multi_modal_projector."),
        ("image_newline", "model.image_newline"),
        ("visual.", "model.visual."),
        ("model.layers.", "model.language_model.layers."),
        ("model.embed_tokens.", "model.language_model.embed_tokens."),
        ("model.norm.", "model.language_model.norm."),
        ("model.vision_tower.vision_tower.", tower),
        ("model.mm_projector.0.", "model.multi_modal_projector.linear_1."),
        ("model.mm_projector.2.", "model.multi_modal_projector.linear_2."),
    ]
    /// From canonical names to those of LLaVA's own code.
    private static let originals: [(canonical: String, original: String)] = [
        ("model.language_model.", "model."),
        (tower, "model.vision_tower.vision_tower."),
        ("model.multi_modal_projector.linear_1.", "model.mm_projector.0."),
        ("model.multi_modal_projector.linear_2.", "model.mm_projector.2."),
    ]

    /// The name under which this package looks the module of an adapter up. One that was given the text decoder alone
    /// has `layers`.
    static func module(_ name: String) -> String {
        name.hasPrefix("layers.") ? "model.language_model." + name : canonical(name)
    }

    /// The name under which this package looks tensors and modules up, and writes them.
    package static func canonical(_ name: String) -> String {
        var result = name
        if let (old, new) = renames.first(where: { name.hasPrefix($0.old) }) {
            result = new + name.dropFirst(old.count)
        }
        if result.hasPrefix(tower), !result.hasPrefix(tower + "vision_model.") {
            result = tower + "vision_model." + result.dropFirst(tower.count)
        }
        return result
    }

    /// The name that LLaVA's own code has for what is canonically called so.
    package static func original(_ canonical: String) -> String {
        guard let (name, original) = originals.first(where: { canonical.hasPrefix($0.canonical) }) else {
            return canonical
        }
        return original + canonical.dropFirst(name.count)
    }
}
