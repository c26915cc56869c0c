import Foundation
import Imaging
import Testing

@Suite struct ImagePathTests {
    /// root/a.png, root/sub/b.png, outside/c.png, names in both forms of Unicode, and links between them.
    private func withTree(_ body: (_ top: String) throws -> Void) throws {
        try withTemporaryDirectory { top in
            let manager = FileManager.default
            for name in ["root/sub", "outside", "é", "e\u{301}"] {
                try? manager.createDirectory(
                    at: top.appendingPathComponent(name), withIntermediateDirectories: true)
            }
            for name in ["root/a.png", "root/sub/b.png", "outside/c.png", "root-like.png"] {
                try Data("x".utf8).write(to: top.appendingPathComponent(name))
            }
            for name in ["é", "e\u{301}"] { try self.touch("\(top.path)/\(name)/d.png") }
            let links = [
                ("root/inner.png", "sub/b.png"), ("root/leak.png", "../outside/c.png"),
                ("root/door", "../outside"), ("root/deep", "sub"), ("alias", "root"), ("root/loop", "loop"),
                ("root/dangling.png", "../gone.png"),
            ]
            for (name, target) in links {
                try manager.createSymbolicLink(
                    atPath: top.appendingPathComponent(name).path, withDestinationPath: target)
            }
            try body(top.path)
        }
    }

    /// By the bytes of the name, whatever Foundation makes of it.
    private func touch(_ path: String) throws {
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        try #require(descriptor >= 0)
        close(descriptor)
    }

    @Test(arguments: [
        ("a.png", "root/a.png"), ("./sub/../a.png", "root/a.png"), ("inner.png", "root/sub/b.png"),
        ("deep/b.png", "root/sub/b.png"), ("sub//b.png", "root/sub/b.png"),
        // what a link leads to is the owner's business
        ("leak.png", "outside/c.png"), ("door/c.png", "outside/c.png"),
        // dots are taken out of the path as written, before any link is followed
        ("deep/../a.png", "root/a.png"), ("door/../a.png", "root/a.png"),
    ])
    func findsWhatIsWrittenInsideTheRoot(_ path: String, _ found: String) throws {
        try withTree { (top: String) throws in
            let file = "\(top)/\(found)"
            #expect(try resolveImage(path, root: "\(top)/root") == file)
            #expect(try resolveImage("\(top)/root/\(path)", root: "\(top)/root") == file)
            #expect(try resolveImage(path, root: "\(top)/alias/") == file)
            #expect(try resolveImage("\(top)/alias/\(path)", root: "\(top)/alias") == file)
            #expect(try resolveImage("\(top)/root/\(path)", root: "\(top)/alias") == file)
            if found.hasPrefix("root") {
                #expect(try resolveImage(path, root: "\(top)/root", links: .keptInside) == file)
            } else {
                let error = try fault(path, root: "\(top)/root", links: .keptInside)
                #expect(error.contains("a link leads to \(file), outside of"))
            }
        }
    }

    private func fault(_ path: String, root: String, links: LinkRule = .followed) throws -> String {
        "\(try #require(throws: ImagePathError.self) { try resolveImage(path, root: root, links: links) })"
    }

    @Test(arguments: [
        "../outside/c.png", "sub/../../outside/c.png", "../root-like.png", "../nothing.png", "..",
        "door/../../outside/c.png", "/etc/hostname", "/..", "/\u{301}etc/hostname",
    ])
    func refusesWhatIsWrittenOutside(_ path: String) throws {
        try withTree { (top: String) throws in
            let root = "\(top)/root"
            #expect(
                try fault(path, root: root)
                    == "image \(path): it lies outside of --image-root \(root); move it or widen the root")
            #expect(try fault("\(top)/outside/c.png", root: root).contains("it lies outside"))
        }
    }

    /// Two folders whose names look alike are two.
    @Test func namesAreTheirBytes() throws {
        try withTree { (top: String) throws in
            for (own, other) in [("é", "e\u{301}"), ("e\u{301}", "é")] {
                let root = "\(top)/\(own)"
                let found = try resolveImage("\(root)/d.png", root: root)
                #expect(found.utf8.elementsEqual("\(root)/d.png".utf8))
                let error = try fault("\(top)/\(other)/d.png", root: root, links: .keptInside)
                #expect(error.contains("it lies outside"))
            }
        }
    }

    @Test func saysWhatIsWrong() throws {
        try withTree { (top: String) throws in
            let root = "\(top)/root"
            for path in ["no.png", "no/way.png", "a.png/b", "\(top)/root/no.png"] {
                #expect(try fault(path, root: root).contains(": not there under --image-root \(root); "))
            }
            #expect(try fault("dangling.png", root: root).contains("a broken link; "))
            #expect(try fault("loop", root: root).contains("Too many levels of symbolic links"))
            #expect(try fault("", root: root).contains("an empty path; "))
            for path in ["a.png\0", "a.png\0/../../outside/c.png"] {
                #expect(try fault(path, root: root).contains("it holds a zero byte; "))
            }
            for address in ["https://example.org/a.jpg", "file:///etc/hostname", "s3://a/b.png"] {
                let words = "image \(address): a URL, not a path; download it to a file below --image-root"
                #expect(try fault(address, root: root).hasPrefix(words))
            }
            #expect(throws: ImageRootError.self) { try resolveImage("a.png", root: "\(top)/gone") }
        }
    }

    @Test func theWholeFileSystemIsARoot() throws {
        try withTree { (top: String) throws in
            let file = "\(top)/root/a.png"
            #expect(try resolveImage(file, root: "/") == file)
            #expect(try resolveImage(String(file.dropFirst()), root: "/") == file)
        }
    }
}
