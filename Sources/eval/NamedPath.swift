import StageKit

/// `NAME=PATH`, as those to be compared are given.
enum NamedPath {
    static func split(_ word: String, such example: String) throws -> (name: String, path: String) {
        guard let sign = word.firstIndex(of: "="), sign > word.startIndex,
            word.index(after: sign) < word.endIndex
        else { throw StageError.usage("\(word): write NAME=PATH, such as \(example)") }
        return (String(word[..<sign]), String(word[word.index(after: sign)...]))
    }
}
