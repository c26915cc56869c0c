import StageKit

/// `NAME=PATH`, as those to be compared are given.
enum NamedPath {
    static func split(_ word: String, such example: String) throws -> (name: String, path: String) {
        guard let sign = word.firstIndex(of: "="), sign > word.startIndex,
            word.index(after: sign) < word.endIndex
        else { throw StageError.usage("\(word): write NAME=PATH, such as \(example)") }
        let name = word[..<sign]
        guard name.contains(where: { !$0.isWhitespace }),
            !name.unicodeScalars.contains(where: { $0 == "|" || $0.properties.generalCategory == .control })
        else {
            throw StageError.usage("\(word): a name can't be blank or hold | or a line break; give another")
        }
        return (String(word[..<sign]), String(word[word.index(after: sign)...]))
    }
}
