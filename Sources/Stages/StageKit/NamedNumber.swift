import ArgumentParser

/// `NAME=NUMBER` as an option takes it: `cosine=0.17`. The last equals sign parts the two.
package struct NamedNumber<Number: BinaryFloatingPoint & LosslessStringConvertible & Sendable>:
    ExpressibleByArgument, Sendable
{
    package let name: String
    /// Finite.
    package let value: Number

    package init?(argument: String) {
        guard let sign = argument.lastIndex(of: "="), sign > argument.startIndex,
            let value = Number(String(argument[argument.index(after: sign)...])), value.isFinite
        else { return nil }
        (name, self.value) = (String(argument[..<sign]), value)
    }
}
