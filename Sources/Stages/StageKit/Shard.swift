import ArgumentParser

/// One of `n` equal parts of an input, by line number: line l (from 1) belongs to part (l − 1) mod n + 1.
package struct Shard: Sendable, Equatable, ExpressibleByArgument, CustomStringConvertible {
    /// From 1.
    package let k: Int
    package let n: Int

    package init?(k: Int, n: Int) {
        guard n >= 1, (1...n).contains(k) else { return nil }
        self.k = k
        self.n = n
    }

    /// `2/3`
    package init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let k = Int(parts[0]), let n = Int(parts[1]) else { return nil }
        self.init(k: k, n: n)
    }

    package func contains(line: Int) -> Bool { (line - 1) % n == k - 1 }

    package var description: String { "\(k)/\(n)" }
    package var defaultValueDescription: String { description }
}
