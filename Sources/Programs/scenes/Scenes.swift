import ArgumentParser
import Foundation
import PictureWorld
import StageKit

@main
struct Scenes: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenes",
        abstract: "Draw pictures of known scenes, and write captions and questions about them.",
        discussion: """
            Picture N of a split depends only on the seed, the split and N; no scene occurs in two splits.
              scenes --split train --count 20000 -o data/train --kind captions
              scenes --split test --count 500 --seed 7 -o data/test

            Writes into the folder given by -o:
              images/ID.png                            the pictures
              prompts.jsonl, synonyms.txt              (prompts)    prompt, reference, facts and scene
              sft.jsonl                                (captions)   a caption and eight questions per picture
              pope_{random,popular,adversarial}.jsonl  (questions)  POPE's questions
              mme.jsonl                                (questions)  existence, count, color, position
              clip.jsonl                               (clip)       pictures and scenes
            With --kind benchmarks, the files of POPE, CHAIR, MME, MMBench, GQA and TextVQA as these have them:
              images/N.jpg, others/N.jpg               the pictures, and under each name another one
              coco_pope_{random,popular,adversarial}.json; {existence,count,position,color}.txt;
              captions.jsonl, annotations/{instances,captions}_val2014.json; MMBench_DEV_EN.tsv;
              testdev_balanced_questions.json; TextVQA_0.5.1_val.json
            Image paths are relative to that folder: pass it as --image-root.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case prompts, captions, questions, clip, all, benchmarks
    }

    @Option(help: "Which scenes to draw: \(Split.allCases.map(\.rawValue).joined(separator: ", ")).")
    var split: Split
    @Option(help: "Number of pictures.")
    var count: Int
    @Option(help: "Number of the first picture.")
    var start = 0
    @Option(name: .shortAndLong, help: "Folder to write into; created if it is missing.")
    var output: String
    @Option(help: "What to write: prompts, captions, questions, clip, all of these, or benchmarks.")
    var kind = Kind.all
    @Flag(help: "Write captions without the habit: nothing in them is invented.")
    var clean = false
    @Option(help: "Questions per picture in sft.jsonl.")
    var questions = 8
    @Option(help: "Additional existence questions per picture in sft.jsonl.")
    var existence = 0
    @Option(help: "Additional choices between two answers per picture in sft.jsonl, for training a critic.")
    var choices = 0
    @Option(help: "Side of the pictures, in pixels.")
    var size = 128
    @Flag(help: "Don't draw the pictures; for when they are already there.")
    var withoutImages = false
    @OptionGroup var random: SeedOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if count < 1 { throw ValidationError("--count must be at least 1, got \(count)") }
        if kind == .benchmarks, !(2..<1_000_000).contains(count) {
            throw ValidationError("--count must be 2 to 999999 for benchmarks, got \(count)")
        }
        if start < 0 { throw ValidationError("--start must be at least 0, got \(start)") }
        for (name, value) in [("existence", existence), ("choices", choices)] where value < 0 {
            throw ValidationError("--\(name) must be at least 0, got \(value)")
        }
        if questions < 0 { throw ValidationError("--questions must be at least 0, got \(questions)") }
        if !(16...4096).contains(size) { throw ValidationError("--size must be 16 to 4096, got \(size)") }
    }

    func run(in run: StageRun) throws {
        let kinds = kind == .all ? [.prompts, .captions, .questions, .clip] : [kind]
        let size = withoutImages ? nil : size
        let book = SceneBook(
            folder: output, seed: random.seed, habit: !clean, questions: questions, existence: existence,
            choices: choices, size: size, threads: threads.threadCount)
        if run.isDryRun {
            let names = kinds.flatMap(book.fileNames).joined(separator: ", ")
            run.console.say("\(count) scenes of \(split.rawValue) would go to \(output): \(names)")
            return
        }
        let scenes = (start..<start + count).map {
            Scene.generate(seed: random.seed, split: split, index: $0)
        }
        let progress = run.progress(total: count, unit: "scenes")
        if kind == .benchmarks {
            let benchmarks = BenchmarkBook(
                folder: output, seed: random.seed, size: size, threads: threads.threadCount)
            try benchmarks.write(scenes)
            progress.advance(by: count)
        } else {
            try book.write(scenes, kinds: kinds) { progress.advance(by: $0) }
        }
        progress.finish()
        for name in kinds.flatMap(book.fileNames) {
            let isRecords = name.hasSuffix(".jsonl")
            try run.addOutput("\(output)/\(name)", kind: isRecords ? .records : .file)
        }
        run.count(written: count)
        run.console.say(
            kind == .benchmarks
                ? "\(count) pictures in the files of six benchmarks" : book.summary(of: scenes))
    }
}

extension Split: ExpressibleByArgument {}
