import Exams
import Foundation
import Imaging
import Report
import StageKit

/// Which pictures of a test the training had too: by their bytes where both files are there, else by their names.
struct TrainingOverlap {
    /// A picture as it is named, with its file where that is there.
    private struct Picture {
        let name: String
        let file: String?
        let bytes: Int

        /// - Throws: `StageError` for a folder that isn't there.
        init(_ name: String, root: String, option: String) throws {
            self.name = name
            do {
                let place = try resolveImage(name, root: root, option: option)
                bytes =
                    try place.hasPrefix("data:")
                    ? readImage(at: place).count
                    : FileManager.default.attributesOfItem(atPath: place)[.size] as? Int ?? 0
                file = place
            } catch let error as ImageRootError {
                throw StageError.failed("\(error)")
            } catch {
                // It is known by its name alone, which the report says.
                (file, bytes) = (nil, 0)
            }
        }

        /// What names it without its folder. COCO's pictures have a number of twelve digits, which is the same in
        /// `COCO_val2014_000000000042.jpg` and `train2017/000000000042.jpg`.
        var key: String {
            let last = String(name.split(separator: "/").last ?? "")
            let digits = last.prefix { $0 != "." }.suffix(12)
            let isNumber = digits.count == 12 && digits.utf8.allSatisfy { (48...57).contains($0) }
            return isNumber ? "COCO \(digits)" : last
        }

        func digest() throws -> String? {
            try file.map { Digest.of(try readImage(at: $0)) }
        }
    }

    private let tested: Int
    private let trained: Int
    private var missing = (tested: 0, trained: 0)
    /// Of the test's pictures.
    private(set) var sameBytes: [String] = []
    private(set) var sameName: [String] = []
    private(set) var otherBytes: [String] = []

    /// - Parameters:
    ///   - test: pictures as the sheets name them.
    ///   - training: pictures as the records name them.
    /// - Throws: `StageError` for a folder that isn't there; `ImageError` for a file that can't be read.
    init(test: [String], in root: String, training: [String], in trainingRoot: String) throws {
        let tests = try test.map { try Picture($0, root: root, option: "--image-root") }
        var seen: Set<String> = []
        let trains = try training.filter { seen.insert($0).inserted }.map {
            try Picture($0, root: trainingRoot, option: "--training-image-root")
        }
        (tested, trained) = (tests.count, trains.count)
        missing = (tests.count { $0.file == nil }, trains.count { $0.file == nil })
        // Files of different size needn't be read.
        let sizes = Set(tests.filter { $0.file != nil }.map(\.bytes))
        let digests = Set(
            try trains.filter { $0.file != nil && sizes.contains($0.bytes) }.compactMap { try $0.digest() })
        let trainedSizes = Set(trains.filter { $0.file != nil }.map(\.bytes))
        let byKey = Dictionary(grouping: trains, by: \.key)
        for picture in tests {
            let isThere = picture.file != nil
            if isThere, trainedSizes.contains(picture.bytes), let digest = try picture.digest(),
                digests.contains(digest)
            {
                sameBytes.append(picture.name)
            } else if let others = byKey[picture.key] {
                if isThere && others.allSatisfy({ $0.file != nil }) {
                    otherBytes.append(picture.name)
                } else {
                    sameName.append(picture.name)
                }
            }
        }
    }

    private var compared: String {
        func count(_ missing: Int, of all: Int) -> String { "\(all - missing) of \(all)" }
        return "Files were there for \(count(missing.tested, of: tested)) pictures of the test and "
            + "\(count(missing.trained, of: trained)) of the training; the others are known by name alone."
    }

    /// A sentence for the console.
    var sentence: String {
        "training and test share \(sameBytes.count) pictures by their bytes, \(sameName.count) more by name"
    }

    var section: ComparisonReport.Overlap {
        let found =
            sameBytes.isEmpty && sameName.isEmpty
            ? "No picture of the test was found in the training. "
            : "The training had \(sameBytes.count + sameName.count) of the test's \(tested) pictures: "
                + "\(sameBytes.count) with the same bytes, \(sameName.count) by their names. "
        return .init(
            summary: found + (missing.tested + missing.trained > 0 ? compared : ""),
            groups: [
                .init(title: "The same bytes", pictures: sameBytes),
                .init(title: "The same name, bytes unknown", pictures: sameName),
                .init(
                    title: "The same name, but other bytes: another picture, or stored anew",
                    pictures: otherBytes),
            ])
    }
}
