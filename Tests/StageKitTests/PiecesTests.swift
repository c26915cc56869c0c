import Foundation
import StageKit
import Testing

/// The pieces that programs use without the record stream.
@Suite struct PiecesTests {
    @Test func filesAndFoldersHaveDigests() throws {
        let folder = try Folder()
        try folder.write("abc", to: "a")
        let file = try Digest.ofFile(folder.file("a"))
        // The first example of FIPS 180-2.
        #expect(file.digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(file.bytes == 3 && file.lines == 1)
        try folder.write("a\nb\n", to: "lines")
        #expect(try Digest.ofFile(folder.file("lines")).lines == 2)
        let before = try Digest.ofFolder(folder.path)
        try folder.write("x", to: ".hidden")
        try folder.write("x", to: "weights.part")
        #expect(try Digest.ofFolder(folder.path) == before)
        rename(folder.file("a"), folder.file("b"))
        #expect(try Digest.ofFolder(folder.path).digest != before.digest)
    }

    @Test func aLockIsHeldOnce() throws {
        let folder = try Folder()
        let path = folder.file(".lock")
        do {
            let lock = try RunLock(path: path, of: "the test")
            #expect { try RunLock(path: path, of: "the test") } throws: {
                ($0 as? StageError)?.code == .lockHeld
            }
            withExtendedLifetime(lock) {}
        }
        _ = try RunLock(path: path, of: "the test")
    }

    @Test func namedNumbersAreRead() throws {
        let floor = try #require(NamedNumber<Double>(argument: "a=b=0.17"))
        #expect(floor.name == "a=b" && floor.value == 0.17)
        for wrong in ["cosine", "=1", "cosine=", "cosine=nan", "cosine=1e999", ""] {
            #expect(NamedNumber<Double>(argument: wrong) == nil)
        }
        #expect(NamedNumber<Float>(argument: "x=1e39") == nil)
    }

    @Test func shardsAreRead() {
        #expect(Shard(argument: "2/3") == Shard(k: 2, n: 3))
        for wrong in ["0/3", "4/3", "1/0", "1", "1/2/3", "a/b", "-1/3", ""] {
            #expect(Shard(argument: wrong) == nil)
        }
        for line in 1...9 {
            #expect(
                (1...3).filter { Shard(k: $0, n: 3)?.contains(line: line) == true } == [(line - 1) % 3 + 1])
        }
    }
}
