import ArgumentParser
import Imaging
import StageKit

/// Options of programs that open the images of records.
package struct ImageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder that image paths are relative to; they must stay inside it.", valueName: "folder"))
    package var imageRoot: String = "."

    @Flag(help: "Refuse links that lead out of the image folder; by default they are followed.")
    package var noLinks = false

    package init() {}

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

/// How transparent pixels are read. Where `--alpha` is that of a LoRA it has the longer name alone.
package struct AlphaOptions: ParsableArguments {
    @Option(
        name: [.customLong("image-alpha"), .customLong("alpha")],
        help: "How to treat transparent pixels: lay them onto white, or drop the alpha channel.")
    package var rule = AlphaRule.white

    package init() {}
}

extension AlphaRule: ExpressibleByArgument {}
