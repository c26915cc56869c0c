import Foundation
import Imaging
import Testing

/// Pictures that stand in a record.
struct DataURITests {
    private func uri(_ file: String, _ head: String = "data:image/png;base64,") throws -> String {
        head + Data(try Fixtures.bytes(file)).base64EncodedString()
    }

    @Test(arguments: [
        ("rgb8.png", "data:image/png;base64,"), ("rgb420.jpg", "data:image/jpeg;base64,"),
        // the bytes say what it is
        ("rgb420.jpg", "DATA:image/png;charset=x;base64,"), ("rgba8.png", "data:;base64,"),
    ])
    func isDecodedAsItsFile(_ file: String, _ head: String) throws {
        let image = try decodeImage(at: Fixtures.path(file))
        let uri = try uri(file, head)
        #expect(try resolveImage(uri, root: "/nowhere") == uri)
        #expect(try decodeImage(at: uri) == image)
        #expect(try decodeImage(at: head + uri.dropFirst(head.count).map { "\($0)\n" }.joined()) == image)
    }

    @Test(arguments: [
        ("data:image/png;base64,iVBORw0KGgo*", "broken base64"),
        ("data:image/png,%89PNG", "not given as base64"), ("data:", "not given as base64"),
        ("data:image/png;base64,", "the file is empty"),
        ("data:image/jpeg;base64,/9j/4AAQSkZJRg==", "end too early"),
        ("data:text/plain;base64,aGVsbG8gd29ybGQ=", "text"),
    ])
    func saysWhatIsWrong(_ uri: String, _ found: String) throws {
        let error = try #require(#expect(throws: ImageError.self) { try decodeImage(at: uri) })
        #expect(error.description.hasPrefix(uri) && error.description.contains(found), "\(error)")
    }

    /// What is too large is refused as in a file, and no message repeats the picture.
    @Test func limitsHold() throws {
        let bomb = try uri("bomb.png")
        let error = try #require(#expect(throws: ImageError.self) { try decodeImage(at: bomb) })
        #expect(error.description.contains("60000 × 60000 pixels, more than the"))
        #expect(error.description.utf8.count < 200 && error.description.contains("… ("))
    }
}
