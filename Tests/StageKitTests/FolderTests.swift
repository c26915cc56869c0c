import Files
import Foundation
import StageKit
import Synchronization
import Testing

/// Folders as output, and which of them are replaced.
@Suite struct FolderTests {
    @Test func foldersAreReplacedWhole() throws {
        let folder = try Folder()
        try folder.write("a person's", to: "model.old")
        for text in ["one", "two"] {
            let target = try AtomicFolder(folder.file("model/"))
            #expect(try target.prepare(keeping: false) == folder.file("model.part"))
            try folder.write(text, to: "model.part/weights")
            try folder.write("left by a kill", to: "model.part/.dat.nosync12.abc")
            #expect { try AtomicFolder(folder.file("model")).prepare(keeping: false) } throws: {
                ($0 as? StageError)?.code == .lockHeld
            }
            try target.publish()
            #expect(try folder.read("model/weights") == text)
            #expect(try folder.names == ["model", "model.old"])
            let inside = try FileManager.default.contentsOfDirectory(atPath: folder.file("model")).sorted()
            #expect(inside == [".sightline", "weights"])
        }
    }

    @Test func somethingStandsAtTheNameAllTheTime() throws {
        let folder = try Folder()
        let path = folder.file("model")
        @Sendable func make() throws {
            let target = try AtomicFolder(path)
            _ = try target.prepare(keeping: false)
            try target.publish()
        }
        try make()
        let isOver = Atomic(false)
        let missed = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 2) { side in
            while side == 1, !isOver.load(ordering: .relaxed) {
                if access(path, F_OK) != 0 { missed.add(1, ordering: .relaxed) }
            }
            guard side == 0 else { return }
            for _ in 0..<100 { #expect(throws: Never.self) { try make() } }
            isOver.store(true, ordering: .relaxed)
        }
        #expect(missed.load(ordering: .relaxed) == 0)
    }

    @Test func anUnfinishedFolderIsKeptOrBegunAnew() throws {
        let folder = try Folder()
        let path = folder.file("model")
        for (keeping, isKept) in [(true, true), (false, false)] {
            do {
                _ = try AtomicFolder(path).prepare(keeping: false)
                try folder.write("half", to: "model.part/checkpoint")
            }
            _ = try AtomicFolder(path).prepare(keeping: keeping)
            #expect(folder.has("model.part/checkpoint") == isKept)
        }
        // The older one of two that were exchanged, which a kill left behind.
        try folder.write(#"{"written_by_sightline":["weights"]}"#, to: "model.part/.sightline")
        try folder.write("old", to: "model.part/weights")
        _ = try AtomicFolder(path).prepare(keeping: true)
        #expect(!folder.has("model.part/weights"))
    }

    /// Files in the folder `out` or beside it, and the one that a refusal must name; nil where none is refused.
    private static let standing: [(files: [String: String], stranger: String?)] = [
        ([:], nil),
        (["out/notes.txt": "mine"], "out/notes.txt"),
        (["out/deep/er/notes.txt": "mine"], "out/deep/er/notes.txt"),
        (["out/.git/HEAD": "ref"], "out/.git/HEAD"),
        (["out.part/notes.txt": "mine"], "out.part/notes.txt"),
        (["out": "a file"], "out"),
        (["out.part": "a file"], "out.part"),
        (["out/.sightline": #"{"written_by_sightline":["a","b/c"]}"#, "out/a": "1", "out/b/c": "2"], nil),
        (
            ["out/.sightline": #"{"written_by_sightline":["a"]}"#, "out/a": "1", "out/b": "mine"], "out/b"
        ),
        (["out.part/.sightline": "", "out.part/checkpoint.safetensors": "half"], nil),
        // A model from elsewhere, and what earlier versions made.
        (["out/config.json": #"{"architectures": ["L"]}"#, "out/model.safetensors": "x"], "out/config.json"),
        (["out/config.json": "{\n  \"architectures\" : [", "out/model.safetensors": "x"], nil),
        (["out/config.json": "{\n  \"architectures\" : [", "out/README.md": "mine"], "out/README.md"),
        (["out/adapter_config.json": "{\n  \"alpha_pattern\" : {", "out/.dat.nosync1.a": ""], nil),
        (["out.part/metrics.jsonl": #"{"step":1,"loss":1}"#, "out.part/pairs.jsonl": ""], nil),
        (["out/scores.json": #"{"captions":[]}"#, "out/answers/a.jsonl": ""], nil),
        (["out/scores.json": #"{"mine":1}"#, "out/answers/a.jsonl": ""], "out/answers/a.jsonl"),
        (["out/scores.json": #"{"captions":[]}"#, "out/answers/a.txt": ""], "out/answers/a.txt"),
    ]

    @Test(arguments: standing.indices) func onlyWhatSightlineMadeIsReplaced(_ index: Int) throws {
        let (files, stranger) = Self.standing[index]
        let folder = try Folder()
        for (name, text) in files {
            try FileManager.default.createDirectory(
                atPath: OutputPlace.folder(of: folder.file(name)), withIntermediateDirectories: true)
            try folder.write(text, to: name)
        }
        for output in ["out", "out//"] {
            guard let stranger else {
                _ = try AtomicFolder(folder.file(output))
                continue
            }
            #expect { try AtomicFolder(folder.file(output)) } throws: {
                "\($0)".hasPrefix("\(folder.file(stranger)): ") && "\($0)".contains("; ")
            }
        }
        for (name, text) in files { #expect(try folder.read(name) == text) }
    }

    @Test func whatComesDuringTheWorkIsKeptToo() throws {
        let folder = try Folder()
        let target = try AtomicFolder(folder.file("out"))
        _ = try target.prepare(keeping: false)
        try folder.write("result", to: "out.part/weights")
        try FileManager.default.createDirectory(atPath: folder.file("out"), withIntermediateDirectories: true)
        try folder.write("mine", to: "out/notes.txt")
        #expect { try target.publish() } throws: {
            "\($0)".contains("out/notes.txt")
                && "\($0)".contains("(the output so far is in \(folder.file("out.part"))")
        }
        #expect(try folder.read("out/notes.txt") == "mine")
        #expect(try folder.read("out.part/weights") == "result")
    }

    @Test func aLinkToAFolderStays() throws {
        let folder = try Folder()
        symlink("real", folder.file("link"))
        let target = try AtomicFolder(folder.file("link/"))
        _ = try target.prepare(keeping: false)
        try target.publish()
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link")) == "real")
        #expect(folder.has("real/.sightline"))
        for name in [".", "..", "/", "x/.."] {
            #expect { try AtomicFolder(name) } throws: { ($0 as? StageError)?.code == .usage }
        }
    }
}
