import ArgumentParser

/// What is added to a token's logit, as typed: `▁Beside=-2.5`.
struct LogitBias: ExpressibleByArgument {
    let token: String
    let value: Float

    init?(argument: String) {
        guard let sign = argument.lastIndex(of: "="), sign > argument.startIndex,
            let value = Float(argument[argument.index(after: sign)...]), value.isFinite
        else { return nil }
        (token, self.value) = (String(argument[..<sign]), value)
    }
}
