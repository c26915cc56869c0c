import Imaging
import Records

/// A picture that stands in a benchmark's own file in base64, without `data:` before it. It is decoded when it is asked
/// about; here it is only looked at.
enum EmbeddedPicture {
    /// - Throws: `RecordError` for what is no base64, and for base64 of no picture.
    static func uri(base64: String) throws -> String {
        let uri = "data:;base64," + base64
        do { try checkHeader(at: uri) } catch {
            throw RecordError.invalid(
                key: "image", found: "\(error)", remedy: "give a picture in base64")
        }
        return uri
    }
}
