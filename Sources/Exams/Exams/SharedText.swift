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

extension SharedText: Comparable {
    /// In the order in which the texts came.
    package static func < (a: SharedText, b: SharedText) -> Bool { a.number < b.number }
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

/// Texts behind one another in blocks, told apart by their bytes, with a table of their numbers by hash. Blocks rather
/// than one array: what grows by doubling is there twice while it is copied.
private struct TextPool {
    private static let none = UInt32.max
    private static let blockBytes = 1 << 20

    /// Where a text stands.
    private struct Place {
        let block: UInt32
        let start: UInt32
        let count: UInt32

        var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
    }

    private var blocks: [[UInt8]] = []
    private var places: [Place] = []
    /// Open addressing, at most three quarters full; its size is a power of two.
    private var table = [UInt32](repeating: none, count: 1 << 10)

    func text(_ number: UInt32) -> String {
        let place = places[Int(number)]
        return String(decoding: blocks[Int(place.block)][place.range], as: UTF8.self)
    }

    mutating func number(of text: String) -> UInt32 {
        var text = text
        return text.withUTF8 { utf8 in
            let slot = slot(of: utf8)
            if table[slot] != Self.none { return table[slot] }
            let number = UInt32(places.count)
            places.append(add(utf8))
            table[slot] = number
            if 4 * places.count > 3 * table.count { grow() }
            return number
        }
    }

    private mutating func add(_ utf8: UnsafeBufferPointer<UInt8>) -> Place {
        if blocks.last.map({ $0.count + utf8.count > Self.blockBytes }) ?? true {
            blocks.append([])
            blocks[blocks.count - 1].reserveCapacity(max(Self.blockBytes, utf8.count))
        }
        let block = blocks.count - 1
        let start = blocks[block].count
        blocks[block].append(contentsOf: utf8)
        return Place(block: UInt32(block), start: UInt32(start), count: UInt32(utf8.count))
    }

    /// Where the number of a text of these bytes stands in the table, or would.
    private func slot(of utf8: UnsafeBufferPointer<UInt8>) -> Int {
        var slot = home(of: utf8)
        while table[slot] != Self.none, !has(utf8, places[Int(table[slot])]) {
            slot = (slot + 1) & (table.count - 1)
        }
        return slot
    }

    private func home(of utf8: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(utf8))
        return hasher.finalize() & (table.count - 1)
    }

    private func has(_ utf8: UnsafeBufferPointer<UInt8>, _ place: Place) -> Bool {
        place.count == utf8.count && blocks[Int(place.block)][place.range].elementsEqual(utf8)
    }

    private mutating func grow() {
        table = [UInt32](repeating: Self.none, count: 2 * table.count)
        for (number, place) in places.enumerated() {
            let home = blocks[Int(place.block)].withUnsafeBufferPointer {
                self.home(of: UnsafeBufferPointer(rebasing: $0[place.range]))
            }
            var slot = home
            while table[slot] != Self.none { slot = (slot + 1) & (table.count - 1) }
            table[slot] = UInt32(number)
        }
    }
}
