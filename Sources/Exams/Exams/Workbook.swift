/// A sheet as spreadsheets and `pandas.read_excel` read it (ECMA-376, `.xlsx`): texts in the cells themselves, in an archive
/// that isn't compressed. The same cells give the same bytes.
struct Workbook {
    enum Cell {
        /// As it is written.
        case number(String)
        /// An empty one gives an empty cell.
        case text(String)
    }

    let rows: [[Cell]]

    init(_ rows: [[Cell]]) { self.rows = rows }

    var bytes: [UInt8] {
        var archive = ZipArchive()
        archive.add("[Content_Types].xml", Self.contentTypes)
        archive.add("_rels/.rels", Self.relationship("officeDocument", "xl/workbook.xml"))
        archive.add("xl/workbook.xml", Self.workbook)
        archive.add(
            "xl/_rels/workbook.xml.rels", Self.relationship("worksheet", "worksheets/sheet1.xml"))
        archive.add("xl/worksheets/sheet1.xml", sheet)
        return archive.bytes
    }

    private var sheet: String {
        let lines = rows.enumerated().map { number, cells in
            "<row r=\"\(number + 1)\">"
                + cells.enumerated().map { Self.xml($1, at: "\(Self.column($0))\(number + 1)") }.joined()
                + "</row>"
        }
        return Self.head + "<worksheet xmlns=\"\(Self.main)\"><sheetData>" + lines.joined()
            + "</sheetData></worksheet>"
    }

    /// `A` to `Z`.
    private static func column(_ index: Int) -> Character { Character(UnicodeScalar(UInt8(65 + index))) }

    private static func xml(_ cell: Cell, at place: String) -> String {
        switch cell {
        case .number(let digits): "<c r=\"\(place)\"><v>\(digits)</v></c>"
        case .text(""): ""
        case .text(let text):
            "<c r=\"\(place)\" t=\"inlineStr\"><is><t xml:space=\"preserve\">\(escaped(text))</t></is></c>"
        }
    }

    /// Signs that XML has no room for are written as `_x0007_`.
    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\n", "\t": String(scalar)
            case _ where scalar < " " || ["\u{FFFE}", "\u{FFFF}"].contains(scalar):
                "_x" + String(repeating: "0", count: 4 - hexadecimal(scalar).count) + hexadecimal(scalar)
                    + "_"
            default: String(scalar)
            }
        }.joined()
    }

    private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        String(scalar.value, radix: 16, uppercase: true)
    }

    // MARK: - What surrounds the sheet

    private static let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
    private static let schemas = "http://schemas.openxmlformats.org"
    private static let main = "\(schemas)/spreadsheetml/2006/main"
    private static let links = "\(schemas)/officeDocument/2006/relationships"
    private static let type = "application/vnd.openxmlformats-officedocument.spreadsheetml"

    private static let contentTypes =
        head + "<Types xmlns=\"\(schemas)/package/2006/content-types\">"
        + "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
        + "<Override PartName=\"/xl/workbook.xml\" ContentType=\"\(type).sheet.main+xml\"/>"
        + "<Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"\(type).worksheet+xml\"/></Types>"

    private static let workbook =
        head + "<workbook xmlns=\"\(main)\" xmlns:r=\"\(links)\"><sheets>"
        + "<sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"

    private static func relationship(_ kind: String, _ target: String) -> String {
        head + "<Relationships xmlns=\"\(schemas)/package/2006/relationships\">"
            + "<Relationship Id=\"rId1\" Type=\"\(links)/\(kind)\" Target=\"\(target)\"/></Relationships>"
    }
}

/// Files one after the other as PKWARE's APPNOTE.TXT has them, stored, dated 1980-01-01.
private struct ZipArchive {
    private var body: [UInt8] = []
    private var directory: [UInt8] = []
    private var count: UInt16 = 0

    mutating func add(_ name: String, _ text: String) {
        let (name, content, start) = (Array(name.utf8), Array(text.utf8), UInt32(body.count))
        // Version 2.0, no flags, stored, midnight of the first day there is.
        var entry = Self.little([20, 0, 0, 0, 0x21] as [UInt16])
        entry += Self.little([Self.checksum(content), UInt32(content.count), UInt32(content.count)])
        entry += Self.little([UInt16(name.count), 0])
        body += Self.little([0x0403_4B50] as [UInt32]) + entry + name + content
        directory += Self.little([0x0201_4B50] as [UInt32]) + Self.little([20] as [UInt16]) + entry
        directory += Self.little([0, 0, 0] as [UInt16]) + Self.little([0, start] as [UInt32]) + name
        count += 1
    }

    var bytes: [UInt8] {
        body + directory + Self.little([0x0605_4B50] as [UInt32])
            + Self.little([0, 0, count, count] as [UInt16])
            + Self.little([UInt32(directory.count), UInt32(body.count)]) + [0, 0]
    }

    private static func little<I: FixedWidthInteger>(_ numbers: [I]) -> [UInt8] {
        numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
    }

    /// CRC-32 of ISO 3309.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in (sum >> 8) ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 1 ? 0xEDB8_8320 ^ (sum >> 1) : sum >> 1 }
    }
}
