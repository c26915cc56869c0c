import Synchronization

/// A text of which the process keeps one copy, however often it stands somewhere: pictures, questions and answers repeat
/// a thousand times over in files of a million. It takes four bytes where it is kept; its copy is never given back.
@propertyWrapper
package struct SharedText: Sendable, Hashable {
    private static let pool = Mutex(TextPool())

    private var number: UInt32

    package init(_ text: String) { number = Self.pool.withLock { $0.number(of: text) } }
    package init(wrappedValue text: String) { self.init(text) }

    package var wrappedValue: String {
        get { text }
        set { self = SharedText(newValue) }
    }

    package var text: String { Self.pool.withLock { $0.text(number) } }
}

extension SharedText: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// Texts behind one another, told apart by their bytes, with a table of their numbers by hash.
private struct TextPool {
    private static let none = UInt32.max

    private var bytes: [UInt8] = []
    /// Where each text ends.
    private var ends: [Int] = []
    /// Open addressing, at most half full; its size is a power of two.
    private var table = [UInt32](repeating: none, count: 1 << 10)

    func text(_ number: UInt32) -> String { String(decoding: bytes[range(number)], as: UTF8.self) }

    private func range(_ number: UInt32) -> Range<Int> {
        (number == 0 ? 0 : ends[Int(number) - 1])..<ends[Int(number)]
    }

    mutating func number(of text: String) -> UInt32 {
        var text = text
        return text.withUTF8 { utf8 in
            let place = place(of: utf8)
            if table[place] != Self.none { return table[place] }
            let number = UInt32(ends.count)
            bytes.append(contentsOf: utf8)
            ends.append(bytes.count)
            table[place] = number
            if 2 * ends.count > table.count { grow() }
            return number
        }
    }

    /// The slot in which these bytes stand, or would.
    private func place(of utf8: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(utf8))
        var place = hasher.finalize() & (table.count - 1)
        while table[place] != Self.none, !bytes[range(table[place])].elementsEqual(utf8) {
            place = (place + 1) & (table.count - 1)
        }
        return place
    }

    private mutating func grow() {
        table = [UInt32](repeating: Self.none, count: 2 * table.count)
        let bytes = bytes
        bytes.withUnsafeBufferPointer { all in
            for number in 0..<UInt32(ends.count) {
                table[place(of: UnsafeBufferPointer(rebasing: all[range(number)]))] = number
            }
        }
    }
}
