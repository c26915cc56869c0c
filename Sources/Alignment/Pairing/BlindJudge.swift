import Foundation

/// How many times more often each word stands in the chosen answer than in the rejected one; words that stand equally
/// often are left out.
package struct WordDifference: Sendable, Equatable {
    package let counts: [String: Int]

    /// Words are runs of letters and digits, in lower case; where a script has no spaces, each sign is one.
    package init(chosen: String, rejected: String) {
        var counts: [String: Int] = [:]
        for (text, sign) in [(chosen, 1), (rejected, -1)] {
            for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
                for part in word.contains(where: \.standsAlone) ? word.map(String.init) : [String(word)] {
                    counts[part, default: 0] += sign
                }
            }
        }
        self.counts = counts.filter { $0.value != 0 }
    }
}

extension Character {
    /// Whether it is of a script that is written without spaces: ideographs, kana, Thai, Lao, Khmer, Burmese.
    fileprivate var standsAlone: Bool {
        unicodeScalars.contains { scalar in
            scalar.properties.isIdeographic || (0x3040...0x30FF).contains(scalar.value)
                || (0x0E00...0x0EFF).contains(scalar.value) || (0x1000...0x109F).contains(scalar.value)
                || (0x1780...0x17FF).contains(scalar.value)
        }
    }
}

/// A judge that sees no picture: logistic regression on `WordDifference`s tells which answer of a pair was chosen. What
/// it can tell, a policy could learn without looking: to say a word more, or less.
///
/// Pairs kept with the probability that it is wrong about them have every word about as often in chosen answers as in
/// rejected ones: these are overlap weights (Li, Morgan and Zaslavsky 2018, arXiv 1404.1785), whose balance of means is exact for
/// a logistic model, used as adversarial filtering (AFLite, arXiv 2002.04108) uses its judges.
package struct BlindJudge {
    /// Words that differ in fewer pairs tell of pictures, not of habits.
    private static let rarest = 5
    /// Weight of the coefficients' squares, halved.
    private static let ridge = 1.0

    /// By word, in log-odds for one more of it.
    private let coefficients: [String: Double]

    /// Fits the judge to pairs whose answers' order is known.
    package init(_ differences: [WordDifference]) {
        var spread: [String: Int] = [:]
        for difference in differences { for word in difference.counts.keys { spread[word, default: 0] += 1 } }
        let least = max(Self.rarest, differences.count / 100)
        let words = spread.filter { $0.value >= least }.keys.sorted()
        let columns = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($1, $0) })
        let rows = differences.map { difference in
            // In order, so that sums come out the same in every run.
            difference.counts.compactMap { word, count in
                columns[word].map { (column: $0, value: Double(count)) }
            }
            .sorted { $0.column < $1.column }
        }
        let fitted = Self.fit(rows, width: words.count)
        coefficients = Dictionary(uniqueKeysWithValues: zip(words, fitted))
    }

    /// How sure it is that the chosen answer is the chosen one, 0…1; 0.5 where it knows none of the words.
    package func certainty(_ difference: WordDifference) -> Double {
        let known = difference.counts.compactMap { word, count in
            coefficients[word].map { (word, $0 * Double(count)) }
        }
        return Self.sigmoid(known.sorted { $0.0 < $1.0 }.reduce(0) { $0 + $1.1 })
    }

    /// Which of the pairs that it was fitted to stay, so that it could tell nothing from them: each with the probability
    /// that it is wrong about it, in even steps along the file.
    package static func keepsUnguessed(_ differences: [WordDifference]) -> (keeps: [Bool], guessed: Int) {
        let judge = BlindJudge(differences)
        // Who knows no word can tell nothing.
        if judge.coefficients.isEmpty { return (differences.map { _ in true }, 0) }
        var due = 0.5
        var guessed = 0
        let keeps = differences.map { difference in
            let certainty = judge.certainty(difference)
            if certainty > 0.5 { guessed += 1 }
            due += 1 - certainty
            guard due >= 1 else { return false }
            due -= 1
            return true
        }
        return (keeps, guessed)
    }

    private typealias Row = [(column: Int, value: Double)]

    private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// Newton's method on the penalized likelihood, which is concave; each step by conjugate gradients.
    private static func fit(_ rows: [Row], width: Int) -> [Double] {
        func along(_ row: Row, _ vector: [Double]) -> Double {
            row.reduce(0) { $0 + vector[$1.column] * $1.value }
        }
        func loss(_ theta: [Double]) -> Double {
            rows.reduce(ridge / 2 * theta.reduce(0) { $0 + $1 * $1 }) { $0 - log(sigmoid(along($1, theta))) }
        }
        var theta = [Double](repeating: 0, count: width)
        for _ in 0..<50 {
            let sure = rows.map { sigmoid(along($0, theta)) }
            var slope = theta.map { -ridge * $0 }
            for (row, sure) in zip(rows, sure) {
                for (column, value) in row { slope[column] += (1 - sure) * value }
            }
            guard slope.contains(where: { abs($0) > 1e-6 }) else { break }
            let step = solve(slope) { vector in
                var product = vector.map { ridge * $0 }
                for (row, sure) in zip(rows, sure) {
                    let share = along(row, vector) * sure * (1 - sure)
                    for (column, value) in row { product[column] += share * value }
                }
                return product
            }
            // A step that goes too far is shortened.
            let here = loss(theta)
            var share = 1.0
            var next = theta
            repeat {
                next = zip(theta, step).map { $0 + share * $1 }
                share /= 2
            } while loss(next) > here && share > 1e-6
            theta = next
        }
        return theta
    }

    /// x with `matrix`(x) = `right`, for a symmetric positive definite matrix.
    private static func solve(_ right: [Double], _ matrix: ([Double]) -> [Double]) -> [Double] {
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        var x = [Double](repeating: 0, count: right.count)
        var (residual, direction) = (right, right)
        var size = dot(right, right)
        for _ in right.indices where size > 1e-18 {
            let image = matrix(direction)
            let length = size / dot(direction, image)
            for index in x.indices {
                x[index] += length * direction[index]
                residual[index] -= length * image[index]
            }
            let next = dot(residual, residual)
            for index in direction.indices {
                direction[index] = residual[index] + next / size * direction[index]
            }
            size = next
        }
        return x
    }
}
