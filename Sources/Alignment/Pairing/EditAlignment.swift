/// Which tokens of two answers were changed from one to the other: RLHF-V's corrections weigh them (Yu et al. 2023;
/// the released trainer derives them from the token ids, they are not annotated).
///
/// Matching blocks are those of Python's `difflib.SequenceMatcher` without its heuristic for frequent elements:
/// the longest common run, then the longest to its left and to its right, and so on; of equally long ones the
/// earliest. Runs under `shortestMatch` tokens are absorbed into the edit around them, and a gap counts as changed
/// only where both sides have tokens in it: pure insertions and deletions keep their weight.
package struct EditAlignment {
    /// Token ranges, ascending.
    package private(set) var chosen: [Range<Int>] = []
    package private(set) var rejected: [Range<Int>] = []

    package init(chosen: [Int32], rejected: [Int32], shortestMatch: Int = 3) {
        let blocks = matchingBlocks(rejected, chosen).filter { $0.count >= shortestMatch }
        var (left, right) = (0, 0)
        for block in blocks + [Block(left: rejected.count, right: chosen.count, count: 0)] {
            if block.left > left, block.right > right {
                self.rejected.append(left..<block.left)
                self.chosen.append(right..<block.right)
            }
            (left, right) = (block.left + block.count, block.right + block.count)
        }
    }
}

private struct Block {
    var left: Int
    var right: Int
    var count: Int
}

/// Common runs in ascending order, those that touch on both sides joined.
private func matchingBlocks(_ left: [Int32], _ right: [Int32]) -> [Block] {
    var places: [Int32: [Int]] = [:]
    for (index, token) in right.enumerated() { places[token, default: []].append(index) }
    var found: [Block] = []
    var open = [(left.indices, right.indices)]
    while let (lefts, rights) = open.popLast() {
        let block = longestMatch(left, lefts, rights, places)
        guard block.count > 0 else { continue }
        found.append(block)
        open.append((lefts.lowerBound..<block.left, rights.lowerBound..<block.right))
        open.append(
            (block.left + block.count..<lefts.upperBound, block.right + block.count..<rights.upperBound))
    }
    return found.sorted { $0.left < $1.left }.reduce(into: []) { joined, block in
        if let last = joined.last, last.left + last.count == block.left,
            last.right + last.count == block.right
        {
            joined[joined.count - 1].count += block.count
        } else {
            joined.append(block)
        }
    }
}

/// - Parameter places: where each token stands on the right, ascending.
private func longestMatch(
    _ left: [Int32], _ lefts: Range<Int>, _ rights: Range<Int>, _ places: [Int32: [Int]]
) -> Block {
    var best = Block(left: lefts.lowerBound, right: rights.lowerBound, count: 0)
    // Lengths of the runs that end at the last token of the left, by their end on the right.
    var runs: [Int: Int] = [:]
    for i in lefts {
        var next: [Int: Int] = [:]
        for j in places[left[i]] ?? [] where rights.contains(j) {
            let count = (runs[j - 1] ?? 0) + 1
            next[j] = count
            if count > best.count { best = Block(left: i - count + 1, right: j - count + 1, count: count) }
        }
        runs = next
    }
    return best
}
