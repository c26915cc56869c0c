import Dispatch
import Synchronization

/// Counts matrix products by shape while somebody measures; otherwise a product pays one relaxed load for it.
package final class ProductMeter: Sendable {
    /// c `[rows × columns]` (+)= op(a) · op(b), with sums over `inner`; no rows: weights were packed for it.
    package struct Product: Hashable, Sendable {
        package var rows: Int
        package var columns: Int
        package var inner: Int
        package var transposesLeft = false
        package var transposesRight = false
        package var accumulates = false
        /// On one of the engine's threads, beside others; else the call spreads over all threads.
        package var isOnOneThread = false
        package var compute = Compute.f32
    }

    package struct Tally: Sendable {
        package var calls = 0
        /// Wall time summed over calls; over threads too where a call is on one thread.
        package var seconds = 0.0
    }

    private let isMeasuring = Atomic<Bool>(false)
    private let tallies = Mutex<[Product: Tally]>([:])

    /// The products that `body` multiplies.
    package func measure(_ body: () throws -> Void) rethrows -> [Product: Tally] {
        tallies.withLock { $0 = [:] }
        isMeasuring.store(true, ordering: .relaxed)
        defer { isMeasuring.store(false, ordering: .relaxed) }
        try body()
        return tallies.withLock { $0 }
    }

    @inline(__always)
    func time(_ product: @autoclosure () -> Product, _ body: () -> Void) {
        guard isMeasuring.load(ordering: .relaxed) else { return body() }
        let start = DispatchTime.now().uptimeNanoseconds
        body()
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
        let product = product()
        tallies.withLock {
            $0[product, default: Tally()].calls += 1
            $0[product, default: Tally()].seconds += seconds
        }
    }
}
