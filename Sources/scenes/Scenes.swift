import ArgumentParser
import Foundation
import PictureWorld

@main
struct Scenes: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenes",
        abstract: "Draw pictures whose truth is known, and write what can be asked of them.",
        discussion: """
            Picture number N of a split depends on the seed, the split and N alone; no scene occurs in two splits.
              scenes --split train --count 20000 -o data/train --kind captions
              scenes --split test --count 500 --seed 7 -o data/test

            Writes into the folder given by -o:
              images/ID.png                            the pictures
              prompts.jsonl, synonyms.txt              (prompts)    prompt, reference, facts and scene
              sft.jsonl                                (captions)   a caption and eight questions per picture
              pope_{random,popular,adversarial}.jsonl  (questions)  POPE's questions
              mme.jsonl                                (questions)  existence, count, color, position
              clip.jsonl                               (clip)       pictures and scenes
            Image paths are relative to that folder: pass it on as --image-root.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case prompts, captions, questions, clip, all
    }

    @Option(help: "Which scenes: \(Split.allCases.map(\.rawValue).joined(separator: ", ")).")
    var split: Split
    @Option(help: "How many pictures.")
    var count: Int
    @Option(help: "The number of the first picture.")
    var start = 0
    @Option(help: "Seed of the scenes and of all that is said about them.")
    var seed: UInt64 = 0
    @Option(name: .shortAndLong, help: "Folder to write into; it's made where it is missing.")
    var output: String
    @Option(help: "What to write: \(Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
    var kind = Kind.all
    @Flag(help: "Captions without the habit: nothing in them is invented.")
    var clean = false
    @Option(help: "Questions per picture in sft.jsonl.")
    var questions = 8
    @Option(help: "Side of the pictures in pixels.")
    var size = 128
    @Flag(help: "Leave the pictures out, where they are already there.")
    var withoutImages = false
    @Option(help: "Threads.")
    var threads = ProcessInfo.processInfo.activeProcessorCount
    @Flag(help: "No summary on standard error.")
    var quiet = false

    func validate() throws {
        if count < 1 { throw ValidationError("--count must be at least 1, got \(count)") }
        if start < 0 { throw ValidationError("--start must be at least 0, got \(start)") }
        if questions < 0 { throw ValidationError("--questions must be at least 0, got \(questions)") }
        if !(16...4096).contains(size) { throw ValidationError("--size must be 16 to 4096, got \(size)") }
        if threads < 1 { throw ValidationError("--threads must be at least 1, got \(threads)") }
    }

    func run() throws {
        let scenes = (start..<start + count).map { Scene.generate(seed: seed, split: split, index: $0) }
        let book = SceneBook(
            folder: output, seed: seed, habit: !clean, questions: questions, size: withoutImages ? nil : size,
            threads: threads)
        try book.write(scenes, kinds: kind == .all ? Kind.allCases.filter { $0 != .all } : [kind])
        if !quiet { FileHandle.standardError.write(Data(book.summary(of: scenes).utf8)) }
    }
}

extension Split: ExpressibleByArgument {}
