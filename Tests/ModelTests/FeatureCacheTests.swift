import Foundation
import Kernels
import Model
import Testing

/// Features on disk are those that would be computed, and a folder stays within its bounds.
@Suite struct FeatureCacheTests {
    private func folder() -> String {
        FileManager.default.temporaryDirectory.path + "/features-\(UUID().uuidString)"
    }

    private func picture(_ rows: Int, isHalf: Bool, start: Float = 0) -> Picture {
        Picture((0..<rows * 4).map { start + Float($0) / 3 }, width: 4, isHalf: isHalf)
    }

    @Test(arguments: [false, true]) func whatIsKeptComesBack(isHalf: Bool) throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = picture(6, isHalf: isHalf)
        try FeatureCache(folder, limit: 1 << 20).store(made, "one")
        let again = try FeatureCache(folder, limit: 1 << 20)
        #expect(again.picture("two") == nil)
        let found = try #require(again.picture("one"))
        #expect(
            found.payload == made.payload && found.rows == 6 && found.isHalf == isHalf && found.grid == nil)
        let arena = Arena()
        #expect(found.matrix(arena).values == made.matrix(arena).values)
    }

    /// A file that was cut or changed is none, and goes.
    @Test func whatIsDamagedIsMadeAnew() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try FeatureCache(folder, limit: 1 << 20)
        let made = picture(6, isHalf: true)
        for damage in [
            { (data: inout Data) in data.removeLast(3) }, { $0[$0.count - 5] ^= 1 }, { $0[25] ^= 1 },
            { $0 = Data() },
        ] {
            cache.store(made, "one")
            let path = "\(folder)/one.features"
            var data = try Data(contentsOf: URL(fileURLWithPath: path))
            damage(&data)
            try data.write(to: URL(fileURLWithPath: path))
            #expect(cache.picture("one") == nil)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func theOldestGo() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try FeatureCache(folder, limit: 3000)
        for index in 0..<10 {
            cache.store(picture(30, isHalf: false, start: Float(index)), "\(index)")
            // The first is used again and again.
            utimes("\(folder)/0.features", nil)
            usleep(2000)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".features")
        }
        #expect(left.count <= 5 && left.contains("0.features") && left.contains("9.features"))
    }

    @Test func aPictureBeyondTheLimitIsNotKept() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = try FeatureCache(folder, limit: 300)
        cache.store(picture(1, isHalf: false), "small")
        cache.store(picture(30, isHalf: false), "large")
        #expect(cache.picture("small") != nil && cache.picture("large") == nil)
    }

    /// Nothing hangs on a cache: what it can't keep is computed again.
    @Test func aFullDiskIsToldOnce() throws {
        let folder = folder()
        var told: [String] = []
        let cache = try FeatureCache(folder, limit: 1 << 20) { told.append($0) }
        try FileManager.default.removeItem(atPath: folder)
        cache.store(picture(1, isHalf: false), "one")
        cache.store(picture(1, isHalf: false), "two")
        #expect(told.count == 1 && told[0].hasPrefix(folder) && cache.picture("one") == nil, "\(told)")
    }

    @Test func aFolderThatCannotBeMadeIsNamed() throws {
        let file = folder()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
        let error = #expect(throws: (any Error).self) { try FeatureCache(file, limit: 1 << 20) }
        #expect("\(try #require(error))".hasSuffix("Not a directory; name a folder, not a file"))
    }

    @Test func aFolderThatIsNoneStaysAsItIs() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder + "/letter.txt"))
        #expect(throws: FeatureCacheError.self) { try FeatureCache(folder, limit: 1 << 20) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["letter.txt"])
    }
}
