import JSON
import Records

/// The file of a row's picture, under whichever of its names.
struct Picture {
    let path: String?
    /// The keys of the row that it was read from.
    let keys: [String]

    init(_ row: JSONObject) throws {
        if let key = ["rejected_images", "rejected_image"].first(where: row.holds) {
            throw RecordError.invalid(
                key: key, found: "a picture of its own for the rejected answer",
                remedy: "a pair has one; leave this row out")
        }
        if let key = ["videos", "video", "audios", "audio"].first(where: row.holds) {
            throw RecordError.invalid(
                key: key, found: "there, and only pictures are read", remedy: "leave this row out")
        }
        let (listed, single) = (try Self.only(row, "images"), try Self.only(row, "image"))
        let list = try listed.flatMap { try Self.path($0, "images") }
        let image = try single.flatMap { try Self.path($0, "image") }
        if let list, let image, !image.utf8.elementsEqual(list.utf8) {
            throw RecordError.invalid(
                key: "images", found: "\"\(list)\", and \"image\" is \"\(image)\"",
                remedy: "a record has one picture: keep one of the two keys")
        }
        let own = list ?? image
        path = try own ?? row.string("image_path")
        keys = own == nil ? ["images", "image", "image_path"] : ["images", "image"]
        if let path, path.prefixMatch(of: /[A-Za-z][A-Za-z0-9+.\-]*:\/\//) != nil {
            throw RecordError.invalid(
                key: "image", found: "a URL (\(path))", remedy: "download it and name the file")
        }
        if path == nil, case .object? = listed ?? single {
            throw RecordError.invalid(
                key: "image", found: "the picture itself",
                remedy: "write it to a file and name that in \"image\"")
        }
    }

    /// Checks that a row whose questions show so many pictures has as many.
    func check(shown: Int, isNeeded: Bool = false, key: String) throws {
        if isNeeded || shown > 0, path == nil {
            throw RecordError.invalid(
                key: "image", found: "missing, and the question is about a picture",
                remedy: "name the picture's file in it")
        }
        guard shown <= 1 else {
            throw RecordError.invalid(
                key: key, found: "about \(shown) pictures", remedy: "a record has one; leave this row out")
        }
    }

    /// What stands under `key`, alone or in a list.
    private static func only(_ row: JSONObject, _ key: String) throws -> JSON? {
        guard case .array(let list)? = row[key] else { return row[key] }
        guard list.count <= 1 else {
            throw RecordError.invalid(
                key: key, found: "\(list.count) pictures", remedy: "a record has one; leave this row out")
        }
        return list.first
    }

    /// A path, or an object of Hugging Face's datasets with one.
    private static func path(_ value: JSON, _ key: String) throws -> String? {
        switch value {
        case .string(let path): path
        case .object(let object): try object.string("path")
        case .null: nil
        default: throw RecordError.wrongType(key: key, found: value.kind, wanted: "the path of a picture")
        }
    }
}

extension JSONObject {
    /// Whether anything stands under `key`: no null, empty list or empty string.
    func holds(_ key: String) -> Bool {
        switch self[key] {
        case nil, .null?: false
        case .array(let items)?: !items.isEmpty
        case .string(let text)?: !text.isEmpty
        default: true
        }
    }
}
