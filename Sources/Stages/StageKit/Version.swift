import Foundation

package let sightlineVersion = "0.1.0"

/// The version, and the revision that was built where `make build` or `make install` noted it beside the programs:
/// `0.1.0 (3e0b42f)`. A note older than the program is of another build and says nothing.
package var sightlineVersionAndRevision: String {
    let link = "/proc/self/exe"
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) ?? ""
    let folder = URL(fileURLWithPath: own).deletingLastPathComponent()
    for place in ["revision", "../libexec/sightline/revision"] {
        let note = folder.appendingPathComponent(place)
        guard let built = date(of: own), let noted = date(of: note.path), noted >= built,
            let text = try? String(contentsOf: note, encoding: .utf8)
        else { continue }
        let revision = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if !revision.isEmpty { return "\(sightlineVersion) (\(revision))" }
    }
    return sightlineVersion
}

private func date(of path: String) -> Date? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
}
