import ArgumentParser
import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import StageKit

/// Where features of pictures are kept.
package struct FeatureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder to keep features of pictures in, which other stages and rounds then needn't compute.",
            valueName: "folder"))
    package var featureCache: String?

    @Option(help: ArgumentHelp("Size of that folder; what was used longest ago goes.", valueName: "size"))
    package var featureCacheSize = MemorySize(bytes: 20 << 30)

    package init() {}

    /// Nowhere.
    package static var none: FeatureOptions {
        var options = FeatureOptions()
        (options.featureCache, options.featureCacheSize) = (nil, MemorySize(bytes: 0))
        return options
    }

    func cache(_ run: StageRun) throws -> FeatureCache? {
        try featureCache.map { folder in
            try FeatureCache(folder, limit: featureCacheSize.bytes) { run.console.warn($0) }
        }
    }
}

/// Options of programs that run a vision-language model.
package struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Model in Hugging Face layout, or a round or adapter over one.", valueName: "folder"))
    package var model: String

    @Option(
        help: ArgumentHelp(
            "PEFT adapter to fold into the model; repeat for several, in order.", valueName: "folder")
    )
    package var adapter: [String] = []

    @Option(help: ArgumentHelp("Chat template; the checkpoint's by default.", valueName: "name"))
    package var template: String?

    @OptionGroup package var features: FeatureOptions

    package init() {}

    package init(_ model: String, adapter: [String], template: String?, features: FeatureOptions) {
        (self.model, self.adapter, self.template, self.features) = (model, adapter, template, features)
    }

    /// The checkpoint, with every adapter over it that `--model` and `--adapter` name.
    /// - Throws: `StageError` where `--model` is no policy.
    package func policy() throws -> Policy {
        let named = try Policy(at: model)
        return Policy(model: named.model, adapters: named.adapters + adapter)
    }

    /// Opens the model for `run`, which notes it as an input.
    ///
    /// - Parameters:
    ///   - reading: how it reads pictures.
    ///   - beside: an adapter that was trained over `--model` itself, folded in beside each `--adapter`.
    package func open(
        _ run: StageRun, _ reading: PictureReading = PictureReading(), beside: String? = nil
    ) throws -> VisionLanguageModel {
        try open(policy(), run, reading, beside: beside)
    }

    /// Opens what of the named model `policy` is.
    package func open(
        _ policy: Policy, _ run: StageRun, _ reading: PictureReading = PictureReading(),
        beside: String? = nil
    ) throws -> VisionLanguageModel {
        let opened = try VisionLanguageModel(
            directory: URL(fileURLWithPath: policy.model),
            adapters: policy.adapters.map { URL(fileURLWithPath: $0) },
            beside: beside.map { URL(fileURLWithPath: $0) }, template: template
        ) { family in
            // A model that doesn't fit is refused before it is digested.
            if let limit = run.memoryLimit { _ = try MemoryPlan(drawingWith: family, limit: limit) }
        }
        opened.images = try opened.images.reading(as: reading)
        opened.features = try features.cache(run)
        try run.addModel(policy.model, role: "policy")
        for (index, adapter) in policy.adapters.enumerated() {
            try run.addModel(adapter, role: "adapter \(index + 1)")
        }
        if let beside { try run.addModel(beside, role: "adapter beside") }
        opened.idleAdapters.forEach { run.warnOfIdleAdapter($0) }
        return opened
    }
}

extension StageRun {
    /// Says of an adapter that it changes nothing, the commonest silent fault of this field.
    package func warnOfIdleAdapter(_ folder: String) {
        console.warn(
            "\(folder): this adapter changes nothing, its update of every layer is 0; train it again")
    }
}

/// `--dtype f16`
extension ElementType: ExpressibleByArgument {
    public init?(argument: String) {
        guard let type = ElementType(rawValue: argument.uppercased()), type.isFloat else { return nil }
        self = type
    }

    public static var allValueStrings: [String] {
        allCases.filter(\.isFloat).map { $0.rawValue.lowercased() }
    }
}
