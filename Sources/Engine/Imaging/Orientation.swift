/// How a camera was held: the EXIF tag Orientation, 1 (upright) to 8.
///
/// Read as Pillow's `Image.getexif` does: the EXIF block, else ImageMagick's hexadecimal copy of it in a PNG
/// text, else `tiff:Orientation` in XMP. Metadata that can't be read say nothing about the pixels and count as
/// upright.
struct Orientation: Equatable {
    let value: Int

    init(exif: [UInt8]?, rawExif: [UInt8]?, xmp: [UInt8]?) {
        let tiff = exif ?? rawExif.flatMap(Self.decodeRawProfile)
        value = tiff.flatMap(Self.findTag) ?? xmp.flatMap(Self.findInXMP) ?? 1
    }

    /// The tag in the first directory of a TIFF block (EXIF 2.32 §4.6).
    private static func findTag(_ block: [UInt8]) -> Int? {
        let prefix: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]
        let tiff = block.starts(with: prefix) ? block.dropFirst(prefix.count) : block[...]
        let littleEndian: Bool
        switch tiff.prefix(4) {
        case [0x49, 0x49, 42, 0]: littleEndian = true
        case [0x4D, 0x4D, 0, 42]: littleEndian = false
        default: return nil
        }
        func integer(at offset: Int, bytes count: Int) -> Int? {
            guard offset >= 0, offset + count <= tiff.count else { return nil }
            let start = tiff.startIndex + offset
            let digits = tiff[start..<start + count]
            return (littleEndian ? Array(digits.reversed()) : Array(digits)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = integer(at: 4, bytes: 4), let count = integer(at: directory, bytes: 2) else {
            return nil
        }
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            guard let tag = integer(at: entry, bytes: 2) else { return nil }
            if tag != 0x0112 { continue }
            guard let type = integer(at: entry + 2, bytes: 2), integer(at: entry + 4, bytes: 4) == 1 else {
                return nil
            }
            // SHORT by the standard; LONG is seen in the wild and read by Pillow
            let width = [3: 2, 4: 4, 8: 2, 9: 4][type]
            return width.flatMap { integer(at: entry + 8, bytes: $0) }
        }
        return nil
    }

    /// ImageMagick's text: a line break, the profile's name, its length, then hexadecimal lines.
    private static func decodeRawProfile(_ text: [UInt8]) -> [UInt8]? {
        let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        var nibbles: [UInt8] = []
        for byte in lines.dropFirst(3).joined() where byte > 0x20 {
            guard let nibble = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            nibbles.append(UInt8(nibble))
        }
        guard nibbles.count % 2 == 0 else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }

    /// `tiff:Orientation="6"` or `<tiff:Orientation>6`.
    private static func findInXMP(_ packet: [UInt8]) -> Int? {
        let key = Array("tiff:Orientation".utf8)
        var rest = packet[...]
        while let start = rest.firstIndex(of: key[0]) {
            rest = rest[start...]
            if rest.starts(with: key) {
                var tail = rest.dropFirst(key.count)
                if tail.starts(with: Array("=\"".utf8)) {
                    tail = tail.dropFirst(2)
                } else if tail.first == 0x3E {
                    tail = tail.dropFirst()
                } else {
                    tail = []
                }
                if let digit = tail.first, (0x30...0x39).contains(digit) { return Int(digit) - 0x30 }
            }
            rest = rest.dropFirst()
        }
        return nil
    }

    /// Copies `width` × `height` RGB pixels into an upright picture.
    func apply(to source: UnsafeBufferPointer<UInt8>, width: Int, height: Int) -> RGBImage {
        // the source pixel of target (x, y) is first + x·right + y·down
        let last = width * height - 1
        let (first, right, down): (Int, Int, Int)
        switch value {
        case 2: (first, right, down) = (width - 1, -1, width)
        case 3: (first, right, down) = (last, -1, -width)
        case 4: (first, right, down) = (last - width + 1, 1, -width)
        case 5: (first, right, down) = (0, width, 1)
        case 6: (first, right, down) = (last - width + 1, -width, 1)
        case 7: (first, right, down) = (last, -width, -1)
        case 8: (first, right, down) = (width - 1, width, -1)
        default: return RGBImage(width: width, height: height, pixels: Array(source))
        }
        let (newWidth, newHeight) = value >= 5 ? (height, width) : (width, height)
        let pixels = [UInt8](unsafeUninitializedCapacity: source.count) { target, filled in
            for y in 0..<newHeight {
                for x in 0..<newWidth {
                    let from = 3 * (first + x * right + y * down)
                    let to = 3 * (y * newWidth + x)
                    for channel in 0..<3 { target[to + channel] = source[from + channel] }
                }
            }
            filled = source.count
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: pixels)
    }
}
