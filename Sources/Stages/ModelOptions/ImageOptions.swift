import ArgumentParser
import Imaging
import StageKit

/// Options of programs that open the images of records.
package struct ImageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder that image paths are relative to; they must stay inside it.", valueName: "folder"))
    package var imageRoot = ImageOptions.currentFolder

    @Flag(help: "Refuse links that lead out of the image folder; by default they are followed.")
    package var noLinks = false

    package init() {}

    /// What paths are relative to unless an option says otherwise.
    package static let currentFolder = "."

    /// The file of an image path, after a look at its header: what the path says lies inside the root. A `data:` URI
    /// is its own place.
    /// - Throws: `ImagePathError` or `ImageError` for what is the fault of a record; `StageError` where the root itself
    ///   is missing.
    package func resolve(_ image: String) throws -> String {
        try resolve(image, in: imageRoot, option: "--image-root")
    }

    /// The same under the root that another option names.
    package func resolve(_ image: String, in folder: String, option: String) throws -> String {
        do {
            let file = try resolveImage(
                image, root: folder, option: option, links: noLinks ? .keptInside : .followed)
            try checkHeader(at: file)
            return file
        } catch let error as ImageRootError { throw StageError.failed("\(error)") }
    }
}

/// How the pixels of pictures are read.
package struct PixelOptions: ParsableArguments {
    @Option(name: [.customLong("image-alpha"), .customLong("alpha")], help: .imageAlpha)
    fileprivate var rule = AlphaRule.white
    @Option(help: .resize)
    fileprivate var resize: Resampling?

    package init() {}

    package var reading: PictureReading { PictureReading(alpha: rule, resampling: resize) }
}

/// The same of programs whose model answers.
package struct PictureOptions: ParsableArguments {
    @OptionGroup private var pixels: PixelOptions
    @Option(help: .tiles)
    private var tiles = Tiling.own

    package init() {}

    package var reading: PictureReading {
        PictureReading(alpha: pixels.rule, resampling: pixels.resize, tiling: tiles)
    }
}

/// The same where `--alpha` is that of a LoRA.
package struct TrainingPictureOptions: ParsableArguments {
    @Option(help: .imageAlpha)
    private var imageAlpha = AlphaRule.white
    @Option(help: .resize)
    private var resize: Resampling?
    @Option(help: .tiles)
    private var tiles = Tiling.own

    package init() {}

    package var reading: PictureReading {
        PictureReading(alpha: imageAlpha, resampling: resize, tiling: tiles)
    }
}

extension ArgumentHelp {
    fileprivate static let imageAlpha: ArgumentHelp =
        "How to treat transparent pixels: lay them onto white, or drop the alpha channel."
    fileprivate static let resize: ArgumentHelp =
        "Whose bytes resized pictures have; those of the checkpoint's processor in transformers 5 by default."
    fileprivate static let tiles: ArgumentHelp =
        "Cut pictures into tiles as the model's own processor does, or look at the whole alone: faster, and less is seen."
}

extension AlphaRule: ExpressibleByArgument {}
extension Resampling: ExpressibleByArgument {}
extension Tiling: ExpressibleByArgument {}
