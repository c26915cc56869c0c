import Files
import Imaging
import PictureWorld
import StageKit

/// Writes scenes as the field's benchmarks have them, with their pictures twice: in `images` each under its own number,
/// in `others` under another's, for who is to be asked about a picture without seeing it.
struct BenchmarkBook {
    let folder: String
    let seed: UInt64
    /// Side of the pictures in pixels; nil leaves them out.
    let size: Int?
    let threads: Int

    /// - Parameter scenes: at least two.
    /// - Throws: `StageError` where a file in the folder is somebody else's, `FileError`.
    func write(_ scenes: [Scene]) throws {
        let numbers = size == nil ? 0..<0 : scenes.indices
        let pictures = numbers.flatMap { [own($0), others($0, of: scenes.count)] }
        try SharedFolder.prepare(folder, writing: BenchmarkFiles.names + pictures) { _ in false }
        _ = try inParallel(numbers, threads: threads) { number in
            // PNG, whatever the names say: readers go by what a file holds.
            let picture = scenes[number].draw(size: size ?? 0)
            try writePNG(picture, to: "\(folder)/\(own(number))")
            try writePNG(picture, to: "\(folder)/\(others(number, of: scenes.count))")
        }
        for (name, text) in zip(BenchmarkFiles.names, try BenchmarkFiles(scenes, seed: seed).texts()) {
            try AtomicFile.write(text, to: "\(folder)/\(name)")
        }
    }

    private func own(_ index: Int) -> String { "images/\(BenchmarkFiles.picture(index + 1))" }

    /// The name of the picture before.
    private func others(_ index: Int, of count: Int) -> String {
        "others/\(BenchmarkFiles.picture((index + count - 1) % count + 1))"
    }
}
