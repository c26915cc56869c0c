import ArgumentParser
import Foundation
import Imaging
import StageKit

/// Options of programs that open the images of records.
package struct ImageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Folder that image paths start from and stay inside.", valueName: "folder"))
    package var imageRoot: String = "."

    @Option(help: "Transparent pixels: laid onto white, or their alpha dropped.")
    package var alpha = AlphaRule.white

    package init() {}

    /// The file of an image path: inside the root after every symbolic link is followed.
    /// - Throws: `ImagePathError` where there is none or it lies elsewhere, which is the fault of a
    ///   record; `StageError` where the root itself is missing.
    package func resolve(_ image: String) throws -> String {
        try resolve(image, in: imageRoot, option: "--image-root")
    }

    /// The same under the root that another option names.
    package func resolve(_ image: String, in folder: String, option: String) throws -> String {
        guard let root = Self.realPath(folder) else {
            throw StageError.failed("\(option) \(folder): no such folder; check the path")
        }
        let joined = image.hasPrefix("/") ? image : "\(root)/\(image)"
        guard let file = Self.realPath(joined) else {
            throw ImagePathError.missing(image: image, root: folder, option: option)
        }
        guard file.hasPrefix(root == "/" ? "/" : root + "/") else {
            throw ImagePathError.outside(image: image, root: folder, option: option)
        }
        return file
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}

extension AlphaRule: ExpressibleByArgument {}

/// Why a record's image can't be opened.
package enum ImagePathError: Error, Equatable, CustomStringConvertible {
    case missing(image: String, root: String, option: String = "--image-root")
    case outside(image: String, root: String, option: String = "--image-root")

    package var description: String {
        switch self {
        case .missing(let image, let root, let option):
            "image \(image): not there under \(option) \(root); check the path"
        case .outside(let image, let root, let option):
            "image \(image): it lies outside of \(option) \(root); move it or widen the root"
        }
    }
}
