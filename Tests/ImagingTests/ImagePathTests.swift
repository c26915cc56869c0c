import Foundation
import Imaging
import Testing

@Suite struct ImagePathTests {
    /// root/a.png, root/sub/b.png, outside/c.png, and links between them.
    private func withTree(_ body: (_ top: String) throws -> Void) throws {
        try withTemporaryDirectory { top in
            let manager = FileManager.default
            for name in ["root/sub", "outside"] {
                try manager.createDirectory(
                    at: top.appendingPathComponent(name), withIntermediateDirectories: true)
            }
            for name in ["root/a.png", "root/sub/b.png", "outside/c.png", "root-like.png"] {
                try Data("x".utf8).write(to: top.appendingPathComponent(name))
            }
            let links = [
                ("root/inner.png", "sub/b.png"), ("root/leak.png", "../outside/c.png"),
                ("root/door", "../outside"), ("root/deep", "sub"), ("alias", "root"), ("root/loop", "loop"),
            ]
            for (name, target) in links {
                try manager.createSymbolicLink(
                    atPath: top.appendingPathComponent(name).path, withDestinationPath: target)
            }
            try body(top.path)
        }
    }

    @Test(arguments: [
        ("a.png", "a.png"), ("./sub/../a.png", "a.png"), ("inner.png", "sub/b.png"),
        ("deep/b.png", "sub/b.png"), ("sub//b.png", "sub/b.png"),
        // the link is followed first: the parent of deep's target is the root itself
        ("deep/../a.png", "a.png"),
    ])
    func findsInsideTheRoot(_ path: String, _ found: String) throws {
        try withTree { (top: String) throws in
            #expect(try resolveImage(path, root: "\(top)/root") == "\(top)/root/\(found)")
            #expect(try resolveImage("\(top)/root/\(path)", root: "\(top)/root") == "\(top)/root/\(found)")
            #expect(try resolveImage(path, root: "\(top)/alias/") == "\(top)/root/\(found)")
            #expect(try resolveImage("\(top)/alias/\(path)", root: "\(top)/alias") == "\(top)/root/\(found)")
        }
    }

    @Test(arguments: [
        ("../outside/c.png", "outside/c.png"), ("leak.png", "outside/c.png"), ("door/c.png", "outside/c.png"),
        ("sub/../../outside/c.png", "outside/c.png"), ("../root-like.png", "root-like.png"),
        ("door/../outside/c.png", "outside/c.png"), ("../nothing.png", "nothing.png"),
    ])
    func refusesWhatLeadsOut(_ path: String, _ resolved: String) throws {
        try withTree { (top: String) throws in
            #expect(
                throws: ImageError.outsideRoot(
                    path: path, root: "\(top)/root", resolved: "\(top)/\(resolved)")
            ) { try resolveImage(path, root: "\(top)/root") }
            #expect(throws: ImageError.self) { try resolveImage("\(top)/outside/c.png", root: "\(top)/root") }
            #expect(throws: ImageError.self) { try resolveImage("/etc/hostname", root: "\(top)/root") }
        }
    }

    @Test func namesWhatIsMissing() throws {
        try withTree { (top: String) throws in
            let root = "\(top)/root"
            for path in ["no.png", "no/way.png", "a.png/b", "\(top)/root/no.png"] {
                #expect(throws: ImageError.missing(path: path)) { try resolveImage(path, root: root) }
            }
            #expect(throws: ImageError.missing(path: "\(top)/alias/no.png")) {
                try resolveImage("\(top)/alias/no.png", root: "\(top)/alias")
            }
            #expect(throws: ImageError.missingRoot(root: "\(top)/gone", reason: "No such file or directory"))
            {
                try resolveImage("a.png", root: "\(top)/gone")
            }
            #expect(
                throws: ImageError.unreadable(path: "loop", reason: "Too many levels of symbolic links")
            ) { try resolveImage("loop", root: root) }
            for path in ["", "a\0.png"] {
                #expect(throws: ImageError.self) { try resolveImage(path, root: root) }
            }
        }
    }

    @Test func theWholeFileSystemIsARoot() throws {
        try withTree { (top: String) throws in
            #expect(try resolveImage("\(top)/root/a.png", root: "/") == "\(top)/root/a.png")
            #expect(
                try resolveImage(String("\(top)/root/a.png".dropFirst()), root: "/") == "\(top)/root/a.png")
        }
    }
}
