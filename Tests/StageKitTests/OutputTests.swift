import Files
import Foundation
import Testing

/// Files as output: replaced whole, links followed, devices written to.
@Suite struct OutputTests {
    @Test func filesAreReplacedWholeAndLeaveNothing() throws {
        let folder = try Folder()
        for text in ["one", "two"] {
            let file = try AtomicFile(folder.file("f"))
            try file.write(Array(text.utf8))
            // Until it has its name it has none, so a kill here leaves nothing.
            #expect(try folder.names == (text == "one" ? [] : ["f"]))
            try file.commit()
            #expect(try folder.read("f") == text)
            #expect(try folder.names == ["f"])
        }
        #expect(throws: FileError(folder.file("no/f"), "open it for writing", ENOENT)) {
            try AtomicFile.write("x", to: folder.file("no/f"))
        }
        #expect(throws: FileError(folder.path, "write it", EISDIR)) {
            try AtomicFile.write("x", to: folder.path)
        }
    }

    @Test func linksStayAndLeadToTheFile() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            atPath: folder.file("there"), withIntermediateDirectories: true)
        for (link, target) in [("a", "b"), ("b", "there/file"), ("x", "y"), ("y", "x")] {
            symlink(target, folder.file(link))
        }
        for text in ["new", "replaced"] {
            try AtomicFile.write(text, to: folder.file("a"))
            #expect(try folder.read("there/file") == text)
        }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("a")) == "b")
        #expect(throws: FileError.self) { try AtomicFile.write("x", to: folder.file("x")) }
        #expect(try folder.names == ["a", "b", "there", "x", "y"])
    }

    @Test func aPipeIsWrittenTo() throws {
        let folder = try Folder()
        mkfifo(folder.file("pipe"), 0o600)
        let reader = open(folder.file("pipe"), O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try AtomicFile.write("text", to: folder.file("pipe"))
        var bytes = [UInt8](repeating: 0, count: 9)
        #expect(read(reader, &bytes, 9) == 4)
        var status = stat()
        #expect(lstat(folder.file("pipe"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        #expect(throws: FileError(folder.file("full"), "write", ENOSPC)) {
            symlink("/dev/full", folder.file("full"))
            try AtomicFile.write("text", to: folder.file("full"))
        }
    }
}
