import Files
import Foundation
import Imaging
import PictureWorld
import Records
import StageKit

/// Writes scenes as pictures and records, block by block, so that memory doesn't grow with their number.
struct SceneBook {
    let folder: String
    let seed: UInt64
    let habit: Bool
    let questions: Int
    let existence: Int
    let choices: Int
    /// Side of the pictures in pixels; nil leaves them out.
    let size: Int?
    let threads: Int

    private static let blockSize = 512

    /// The bytes that one scene adds to each file.
    private typealias Lines = [String: [UInt8]]

    /// - Throws: `StageError` where a file in the folder is somebody else's, `FileError`.
    func write(_ scenes: [Scene], kinds: [Scenes.Kind], advance: (Int) -> Void) throws {
        let names = kinds.flatMap(fileNames)
        let pictures = size == nil ? [] : scenes.map(\.imagePath)
        try SharedFolder.prepare(folder, writing: names + pictures, isEarlier: isOfEarlierVersion)
        let statistics = Cooccurrence(scenes)
        var files: [String: AtomicFile] = [:]
        for name in names { files[name] = try AtomicFile("\(folder)/\(name)") }
        for start in stride(from: 0, to: scenes.count, by: SceneBook.blockSize) {
            let block = start..<min(scenes.count, start + SceneBook.blockSize)
            for lines in try inParallel(
                block, threads: threads, { try describe(scenes[$0], number: $0, kinds, statistics) })
            {
                for (name, bytes) in lines { try files[name]?.write(bytes) }
            }
            advance(block.count)
        }
        try files["synonyms.txt"]?.write(Array(PictureWorld.Category.synonymList.utf8))
        for file in files.values { try file.commit() }
    }

    /// Nobody else names pictures as its records do.
    private func isOfEarlierVersion(_ path: String) -> Bool {
        guard path.hasSuffix(".jsonl"), let file = FileHandle(forReadingAtPath: path),
            let bytes = try? file.read(upToCount: 400)
        else { return false }
        return String(decoding: bytes, as: UTF8.self)
            .contains(/"image":"images\/(train|dev|test)-[0-9]+-[0-9]{6,}\.png"/)
    }

    func fileNames(_ kind: Scenes.Kind) -> [String] {
        switch kind {
        case .prompts: ["prompts.jsonl", "synonyms.txt"]
        case .captions: ["sft.jsonl"]
        case .questions: PopeQuestion.Split.allCases.map { "pope_\($0.rawValue).jsonl" } + ["mme.jsonl"]
        case .clip: ["clip.jsonl"]
        case .benchmarks: BenchmarkFiles.names
        case .all: []
        }
    }

    private func describe(
        _ scene: Scene, number: Int, _ kinds: [Scenes.Kind], _ statistics: Cooccurrence
    ) throws -> Lines {
        if let size { try writePNG(scene.draw(size: size), to: "\(folder)/\(scene.imagePath)") }
        var lines: Lines = [:]
        for kind in kinds {
            switch kind {
            case .prompts: lines["prompts.jsonl"] = SceneBook.lines([try scene.promptRecord(seed: seed)])
            case .captions:
                lines["sft.jsonl"] = SceneBook.lines([
                    try scene.lessonRecord(
                        habit: habit, questions: questions, existence: existence, choices: choices,
                        seed: seed)
                ])
            case .questions:
                for split in PopeQuestion.Split.allCases {
                    lines["pope_\(split.rawValue).jsonl"] = SceneBook.lines(
                        scene.popeRecords(split, statistics, firstID: number * 6 + 1, seed: seed))
                }
                lines["mme.jsonl"] = SceneBook.lines(scene.mmeRecords(seed: seed))
            case .clip: lines["clip.jsonl"] = SceneBook.lines([try scene.pictureRecord()])
            case .all, .benchmarks: break
            }
        }
        return lines
    }

    private static func lines(_ records: [Record]) -> [UInt8] {
        records.flatMap { $0.bytes + [UInt8(ascii: "\n")] }
    }

    /// What a caption of these scenes looks like, in figures.
    func summary(of scenes: [Scene]) -> String {
        let captions = scenes.map { $0.describe(habit: habit, seed: seed) }
        let words = captions.map { Lexer.words(of: $0.text) }
        let vocabulary = Set(words.flatMap { $0.map(\.core) })
        let slips = captions.count { $0.slipped }
        let tempted = scenes.count { !$0.tempting.isEmpty }
        let mean = Double(words.reduce(0) { $0 + $1.count }) / Double(scenes.count)
        let percent = { (part: Int) in
            String(format: "%.1f%%", 100 * Double(part) / Double(scenes.count))
        }
        return
            "\(percent(tempted)) of the pictures lack a companion, \(percent(slips)) of the captions slip; "
            + "\(String(format: "%.1f", mean)) words per caption, \(vocabulary.count) different ones"
    }
}
