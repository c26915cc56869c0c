import Foundation
import JSON

/// What stands for a picture in a text.
package enum ImageMarker {
    package static let text = "<image>"

    /// The text without markers and the white space that they leave at its ends, as models read it.
    package static func removed(from text: String) -> String {
        guard text.contains(Self.text) else { return text }
        return text.replacing(Self.text, with: "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    package static func count(in text: String) -> Int { text.ranges(of: Self.text).count }
}

/// A record's picture. What can't be read as one is refused rather than passed over: a model would work without it,
/// and nothing in its answers would tell.
extension JSONObject {
    /// The path of the record's picture: `image`, or the only path in `images`; nil for a record about none.
    ///
    /// - Throws: `RecordError` for `images` that hold another number of paths, for two keys that name different
    ///   pictures, and for a picture under a name that isn't read.
    package func picture() throws -> String? {
        let image = try string("image")
        guard let listed = try listedPicture() else {
            if image == nil, let key = keys.first(where: { Self.namesPicture($0) && self[$0] != .null }) {
                throw RecordError.invalid(
                    key: key, found: self[key].map(Self.shown) ?? "null",
                    remedy: "a picture is named in \"image\": rename the key")
            }
            return image
        }
        if let image, !image.utf8.elementsEqual(listed.utf8) {
            throw RecordError.invalid(
                key: "images", found: "\"\(listed)\", and \"image\" is \"\(image)\"",
                remedy: "a record has one picture: keep one of the two keys")
        }
        return listed
    }

    /// The path, where a record must have one.
    package func requiredPicture() throws -> String { try required("image", picture()) }

    /// Checks that `texts` show no more pictures than the record has.
    ///
    /// - Parameter key: where the last of them stands.
    /// - Throws: `RecordError`.
    package func checkMarkers(in texts: [String], key: String, picture: String?) throws {
        let shown = texts.reduce(0) { $0 + ImageMarker.count(in: $1) }
        guard shown > (picture == nil ? 0 : 1) else { return }
        let what = "about \(shown == 1 ? "a picture" : "\(shown) pictures") (\(ImageMarker.text))"
        throw RecordError.invalid(
            key: key, found: picture == nil ? "\(what), and the record names none" : what,
            remedy: picture == nil
                ? "name the picture's file in \"image\", or take \(ImageMarker.text) out"
                : "a record has one picture: keep one \(ImageMarker.text)")
    }

    private func listedPicture() throws -> String? {
        guard let value = self["images"], value != .null else { return nil }
        if case .string(let path) = value { return path }
        guard case .array(let items) = value else {
            throw RecordError.wrongType(key: "images", found: value.kind, wanted: "a list of one path")
        }
        guard let item = items.first, items.count == 1 else {
            throw RecordError.invalid(
                key: "images", found: items.isEmpty ? "an empty list" : "\(items.count) pictures",
                remedy: items.isEmpty
                    ? "name the picture in \"image\", or leave the key out where there is none"
                    : "a record has one picture: name it in \"image\"")
        }
        guard case .string(let path) = item else {
            throw RecordError.wrongType(key: "images[0]", found: item.kind, wanted: "the path of a picture")
        }
        return path
    }

    /// `image_path`, `img`, `imageFile`, `pictures`, `file_name`, …: other tools' names for what is `image` here. A
    /// name with any other word in it (`image_id`, `has_image`, `reward_picture`) says something about a picture.
    ///
    /// Cut by hand: every key of every record without picture comes here, and a regex is parsed anew each time.
    private static func namesPicture(_ key: String) -> Bool {
        if ["image", "images"].contains(key) { return false }
        let letters = key.lowercased().filter { !"_- .".contains($0) }
        if letters == "filename" { return true }
        var name = letters[...]
        while let place = places.first(where: { name.hasSuffix($0) || name.hasSuffix($0 + "s") }) {
            name.removeLast(place.count + (name.hasSuffix(place) ? 0 : 1))
            if let kind = placeKinds.first(where: { name.hasSuffix($0) }) { name.removeLast(kind.count) }
        }
        if let use = uses.first(where: { name.hasPrefix($0) }) { name.removeFirst(use.count) }
        return nouns.contains { name == $0 || name == $0 + "s" }
    }

    private static let uses = ["input", "main", "local", "raw"]
    private static let nouns = ["image", "img", "picture", "pic", "photo"]
    private static let placeKinds = ["full", "local", "rel", "abs"]
    private static let places = [
        "path", "file", "name", "url", "uri", "src", "source", "data", "bytes", "base64",
    ]

    private static func shown(_ value: JSON) -> String {
        if case .string(let text) = value, text.utf8.count <= 80 { return "\"\(text)\"" }
        return value.kind
    }
}
