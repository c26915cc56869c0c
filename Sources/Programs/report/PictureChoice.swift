import Records

/// Which pictures a page shows.
enum PictureChoice {
    /// Records with pairs, from the widest margin to the narrowest at even distances: the best ones alone
    /// would flatter. Where no record has a pair, the first records.
    static func spread(
        _ records: [(record: Record, pairs: [PreferencePair])], count: Int
    ) -> [(record: Record, pairs: [PreferencePair])] {
        let paired = records.filter { !$0.pairs.isEmpty }
        if paired.isEmpty { return Array(records.prefix(count)) }
        func margin(_ pairs: [PreferencePair]) -> Double { pairs.compactMap(\.margin).max() ?? 0 }
        let order = paired.indices.sorted {
            (margin(paired[$1].pairs), $0) < (margin(paired[$0].pairs), $1)
        }
        return evenly(order, count: count).map { paired[$0] }
    }

    /// `count` elements at even distances, the first among them; all where there are no more.
    static func evenly<Element>(_ elements: [Element], count: Int) -> [Element] {
        guard elements.count > count else { return elements }
        return (0..<count).map { elements[$0 * elements.count / count] }
    }
}
