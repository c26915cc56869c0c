import Foundation
import JSON
import Records

/// What is in pictures of COCO, as CHAIR and Object HalBench take it: the categories of a picture's instances, and the
/// objects that its reference captions name. COCO's files are one object in one line of up to 450 MB; they are read element by element.
struct COCOObjects {
    /// Words for objects, which captions may be read by in several ways.
    struct Lexicon: Sendable {
        /// nil for what is no category of COCO's.
        let name: @Sendable (_ category: String) -> String?
        /// The objects that a caption names, by each way.
        let objects: @Sendable (_ caption: String) -> [Set<String>]
        let ways: Int
    }

    struct Picture {
        var file: String
        /// By each way of the lexicon.
        var truth: [Set<String>]
        var hasInstances = false
        var hasCaptions = false
    }

    private let files: [String]
    private let lexicon: Lexicon
    private var pictures: [Int: Picture] = [:]
    private var hasFile = (instances: false, captions: false)

    /// - Parameters:
    ///   - wanted: COCO's ids; of others nothing is kept.
    ///   - place: where the first of them is asked about.
    /// - Throws: `EvaluationError` with file and line for what isn't COCO's, or where a kind of file is missing.
    init(of wanted: Set<Int>, in files: [String], _ lexicon: Lexicon, for place: String) throws {
        (self.files, self.lexicon) = (files, lexicon)
        for file in files { try read(file, wanted) }
        guard hasFile.instances, hasFile.captions else {
            throw EvaluationError(
                "\(place): no objects stand here, and no file of COCO's \(hasFile.instances ? "captions" : "instances") "
                    + "is given; give instances_val2014.json and captions_val2014.json (and train2014's) with --labels"
            )
        }
    }

    /// - Throws: `EvaluationError` for a picture that the files don't have.
    func picture(_ id: Int, askedAt place: String) throws -> Picture {
        guard let picture = pictures[id], picture.hasInstances, picture.hasCaptions else {
            throw EvaluationError(
                "\(place): image_id: \(id), which \(pictures[id] == nil ? "none" : "only one kind") of "
                    + "\(files.joined(separator: ", ")) has; correct it, or give the files of its half of COCO too"
            )
        }
        return picture
    }

    /// COCO's own files that lie beside `questions`.
    static func files(beside questions: String) -> [String] {
        let folder = URL(fileURLWithPath: questions).deletingLastPathComponent().relativePath
        return [folder, "\(folder)/annotations"].flatMap { folder in
            ["instances", "captions"].flatMap { kind in
                ["val", "train"].map { "\(folder)/\(kind)_\($0)2014.json" }
            }
        }.filter(FileManager.default.fileExists)
    }

    /// 9 of `9` and of `val2014/COCO_val2014_000000000009.jpg`.
    static func number(_ name: String) -> Int? {
        let file = name.split(separator: "/").last ?? ""
        return Int(file.split(separator: ".").first?.split(separator: "_").last ?? "").flatMap {
            $0 < 0 ? nil : $0
        }
    }

    static func file(_ id: Int) -> String {
        let digits = String(id)
        return "COCO_val2014_\(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits).jpg"
    }

    // MARK: - Reading

    private mutating func read(_ path: String, _ wanted: Set<Int>) throws {
        var categories: [Int: String] = [:]
        /// By category the pictures that have it; the names come last in COCO's files.
        var instances: [Int: Set<Int>] = [:]
        var firstInstance: Int?
        var images: [Int: String] = [:]
        var isCaptions = false
        try ElementFile(path: path).forEach { key, object, line in
            switch key {
            case "images":
                let id = try object.count("id")
                if wanted.contains(id) { images[id] = try object.requiredString("file_name") }
            case "categories": categories[try object.count("id")] = try object.requiredString("name")
            case "annotations":
                let image = try object.count("image_id")
                if let caption = try object.string("caption") {
                    isCaptions = true
                    if wanted.contains(image) { add(caption, to: image) }
                } else {
                    firstInstance = firstInstance ?? line
                    let category = try object.count("category_id")
                    if wanted.contains(image) { instances[category, default: []].insert(image) }
                }
            default: break
            }
        }
        if let line = firstInstance, categories.isEmpty {
            throw EvaluationError(
                "\(path):\(line): instances, and no categories in the file; give COCO's instances_val2014.json as it is"
            )
        }
        for (category, ids) in instances {
            guard let name = categories[category], let object = lexicon.name(name) else {
                throw EvaluationError(
                    "\(path):\(firstInstance ?? 1): category_id: \(category), which is "
                        + "\(categories[category].map { "\"\($0)\"" } ?? "no category of the file"); only COCO's 80 categories are known"
                )
            }
            for id in ids {
                var picture = pictures[id] ?? picture(Self.file(id))
                for way in picture.truth.indices { picture.truth[way].insert(object) }
                pictures[id] = picture
            }
        }
        hasFile.captions = hasFile.captions || isCaptions
        hasFile.instances = hasFile.instances || !categories.isEmpty
        for (id, file) in images {
            let unknown = picture(file)
            pictures[id, default: unknown].file = file
            if isCaptions { pictures[id]?.hasCaptions = true }
            if !categories.isEmpty { pictures[id]?.hasInstances = true }
        }
    }

    private mutating func add(_ caption: String, to image: Int) {
        var picture = pictures[image] ?? picture(Self.file(image))
        for (way, objects) in lexicon.objects(caption).enumerated() {
            picture.truth[way].formUnion(objects)
        }
        pictures[image] = picture
    }

    private func picture(_ file: String) -> Picture {
        Picture(file: file, truth: Array(repeating: [], count: lexicon.ways))
    }
}

extension JSONObject {
    /// - Throws: `RecordError` for what is no whole number.
    fileprivate func count(_ key: String) throws -> Int {
        let word = try word(key)
        guard let count = Int(word) else {
            throw RecordError.invalid(key: key, found: "\"\(word)\"", remedy: "COCO has whole numbers there")
        }
        return count
    }
}

/// A file of one JSON object that has arrays of objects, read without holding more than one of those.
private struct ElementFile {
    let path: String

    /// - Parameter body: is given each object of an array, with the array's key and the line on which it ends.
    /// - Throws: `EvaluationError` for a file that is not of this kind; what `body` throws, a `RecordError` with file and
    ///   line before it.
    func forEach(_ body: (_ key: String, _ object: JSONObject, _ line: Int) throws -> Void) throws {
        var scan = Scan()
        try FileLines(path).forEachBlock { block in
            for byte in block {
                guard let element = scan.take(byte) else { continue }
                do { try body(scan.key, JSONObject(parsing: element[...]), scan.line) } catch let error
                    as RecordError
                {
                    throw EvaluationError("\(path):\(scan.line): \(error)")
                }
            }
        }
        guard scan.isWhole else {
            throw EvaluationError("\(path):\(scan.line): the file is no whole JSON object; download it again")
        }
    }

    /// Where in the file a byte stands.
    private struct Scan {
        private(set) var line = 1
        /// Of the outermost object, that which was read last.
        private(set) var key = ""
        private var depth = 0
        private var isString = false
        private var isEscaped = false
        private var isArray = false
        private var collected: [UInt8] = []
        private var word: [UInt8] = []

        private var hasBegun = false
        var isWhole: Bool { depth == 0 && hasBegun }

        /// - Returns: the object that this byte ends.
        mutating func take(_ byte: UInt8) -> [UInt8]? {
            if byte == UInt8(ascii: "\n") { line += 1 }
            // An element of an array of the outermost object.
            if isArray, depth > 2 || depth == 2 && byte == UInt8(ascii: "{") { collected.append(byte) }
            if isString {
                takeString(byte)
                return nil
            }
            switch byte {
            case UInt8(ascii: "\""):
                isString = true
                word = []
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                hasBegun = true
                depth += 1
                if depth == 2 { isArray = byte == UInt8(ascii: "[") }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                guard depth == 2, isArray else { return nil }
                defer { collected.removeAll(keepingCapacity: true) }
                return collected.first == UInt8(ascii: "{") ? collected : nil
            default: break
            }
            return nil
        }

        private mutating func takeString(_ byte: UInt8) {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isString = false
                if depth == 1 { key = String(decoding: word, as: UTF8.self) }
            } else if depth == 1 {
                word.append(byte)
            }
        }
    }
}
