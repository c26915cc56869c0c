import CEnglish

/// The bytes of a table that is part of the program.
func tableBytes(_ table: english_table) -> UnsafeRawBufferPointer {
    var count = 0
    let start = english_table(table, &count)
    return UnsafeRawBufferPointer(start: start, count: count)
}

/// The lines of a table of text.
func tableLines(_ table: english_table) -> [Substring] {
    String(decoding: tableBytes(table), as: UTF8.self).split(separator: "\n")
}

/// Names of COCO's 80 objects, a line each, as CHAIR's file has them (`LisaAnne/Hallucination`, `data/synonyms.txt`).
package var objectSynonyms: [Substring] { tableLines(english_synonyms) }
