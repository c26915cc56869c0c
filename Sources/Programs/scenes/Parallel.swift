import Foundation
import Synchronization

/// The results in the order of `numbers`, whatever thread made them.
func inParallel<Result: Sendable>(
    _ numbers: Range<Int>, threads: Int, _ make: @Sendable (Int) throws -> Result
) throws -> [Result] {
    let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
        for number in stride(from: numbers.lowerBound + thread, to: numbers.upperBound, by: threads) {
            let result = Swift.Result { try make(number) }
            results.withLock { $0[number] = result }
        }
    }
    let finished = results.withLock { $0 }
    return try numbers.compactMap { try finished[$0]?.get() }
}
