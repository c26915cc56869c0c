/// One spelling for the tensor and module names that a model has had over the years.
///
/// Since transformers 4.52 the modules live under `model.`, yet `save_pretrained` kept writing the older names until
/// now; since 5.0 a LLaVA's vision tower has no inner `vision_model`. Qwen2-VL was published with `model.layers` and
/// `visual`, and adapters of LLaVA's own training name its decoder `model.layers`. The names of CLIPModel and SmolVLM never
/// changed.
package enum TensorNames {
    private static let renames: [(old: String, new: String)] = [
        ("language_model.lm_head.", "lm_head."),
        ("language_model.model.", "model.language_model."),
        ("language_model.", "model.language_model."),
        ("vision_tower.", "model.vision_tower."),
        ("multi_modal_projector.", "model.multi_modal_projector."),
        ("image_newline", "model.image_newline"),
        ("visual.", "model.visual."),
        ("model.layers.", "model.language_model.layers."),
        ("model.embed_tokens.", "model.language_model.embed_tokens."),
        ("model.norm.", "model.language_model.norm."),
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
        let tower = "model.vision_tower."
        if result.hasPrefix(tower), !result.hasPrefix(tower + "vision_model.") {
            result = tower + "vision_model." + result.dropFirst(tower.count)
        }
        return result
    }
}
