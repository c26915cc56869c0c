/// Text made safe to stand between tags and inside quoted attributes.
///
/// The five characters of markup become entities. Control characters, which a page may not hold and which
/// models do write, become their visible pictures (U+2400…), line breaks and tabs excepted.
package func escaped(_ text: some StringProtocol) -> String {
    var safe = ""
    safe.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": safe += "&amp;"
        case "<": safe += "&lt;"
        case ">": safe += "&gt;"
        case "\"": safe += "&quot;"
        case "'": safe += "&#39;"
        case "\n", "\t": safe.unicodeScalars.append(scalar)
        case "\u{7F}": safe += "\u{2421}"
        case _ where scalar.value < 0x20:
            safe.unicodeScalars.append(Unicode.Scalar(UInt16(0x2400 + scalar.value)) ?? "\u{FFFD}")
        case _ where isForbidden(scalar): safe += "\u{FFFD}"
        default: safe.unicodeScalars.append(scalar)
        }
    }
    return safe
}

/// C1 controls and noncharacters are no HTML text; overrides of writing direction would let model text
/// reorder the page around it.
private func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x80...0x9F, 0x202A...0x202E, 0x2066...0x2069, 0xFDD0...0xFDEF: true
    default: scalar.value & 0xFFFE == 0xFFFE
    }
}

/// `text` escaped, with every occurrence of one of the phrases marked. Phrases are met as whole words in
/// any case ("cat" is not in "catalogue").
func marked(_ text: String, phrases: [String]) -> String {
    let pieces = words(text)
    let wanted = phrases.map { phrase in words(phrase).filter(\.isWord).map { $0.text.lowercased() } }
        .filter { !$0.isEmpty }
        .sorted { $0.count > $1.count }
    var html = ""
    var index = 0
    while index < pieces.count {
        let lengths = wanted.compactMap { match($0, pieces, at: index) }
        guard let length = lengths.first else {
            html += escaped(pieces[index].text)
            index += 1
            continue
        }
        html += "<mark>" + escaped(pieces[index..<(index + length)].map(\.text).joined()) + "</mark>"
        index += length
    }
    return html
}

private struct Piece {
    var text: String
    var isWord: Bool
}

/// The text cut into words and what stands between them; nothing is lost.
private func words(_ text: String) -> [Piece] {
    var pieces: [Piece] = []
    for scalar in text.unicodeScalars {
        let isWord = scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        if isWord, pieces.last?.isWord == true {
            pieces[pieces.count - 1].text.unicodeScalars.append(scalar)
        } else {
            pieces.append(Piece(text: String(scalar), isWord: isWord))
        }
    }
    return pieces
}

/// Number of pieces that the phrase covers from `start`, or nil where it doesn't stand there.
private func match(_ phrase: [String], _ pieces: [Piece], at start: Int) -> Int? {
    var index = start
    for (position, word) in phrase.enumerated() {
        while position > 0, index < pieces.count, !pieces[index].isWord { index += 1 }
        guard index < pieces.count, pieces[index].isWord, pieces[index].text.lowercased() == word else {
            return nil
        }
        index += 1
    }
    return index - start
}
