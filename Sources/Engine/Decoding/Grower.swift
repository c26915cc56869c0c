import Foundation
import Kernels
import Model

/// A record that needs more key/value memory than the budget holds.
package struct GrowthTooLarge: Error, CustomStringConvertible {
    package let id: String
    package let neededBytes: Int
    package let budgetBytes: Int

    private static func mebibytes(_ bytes: Int) -> String {
        String(format: "%.1f", Double(bytes) / 0x1p20)
    }

    package var description: String {
        "record \(id): growing its answers takes \(Self.mebibytes(neededBytes)) MiB of keys and values, and "
            + "\(Self.mebibytes(budgetBytes)) MiB are left for them; give it more memory, or lower the number or the length of the answers"
    }
}

/// Grows the answers of many prompts together: whatever tokens are due, of whichever records, go through the
/// decoder as one batch. A record is let in when its worst case fits into the memory budget.
package final class Grower {
    private let pool: DecodingPool
    private let plan: GrowthPlan
    private let budget: (slots: Int, bytes: Int)
    private let bytesPerSlot: Int

    /// - Parameter memory: bytes of keys and values at most.
    package init(model: Llama, plan: GrowthPlan, memory: Int, longestPrompt: Int, records: Int) {
        self.plan = plan
        bytesPerSlot = KeyValueCache.bytesPerSlot(model)
        let wanted = plan.slots(promptTokens: longestPrompt) * max(1, records)
        budget = (min(memory / bytesPerSlot, wanted), memory)
        pool = DecodingPool(model: model, slots: budget.slots)
    }

    /// Whether a new grower for such requests would hold no more at once. Keeping one spares the system's work
    /// of finding pages for another cache.
    package func suffices(longestPrompt: Int, records: Int) -> Bool {
        let wanted = plan.slots(promptTokens: longestPrompt) * max(1, records)
        return min(budget.bytes / bytesPerSlot, wanted) <= budget.slots
    }

    /// - Returns: each request's nodes, in the order of the requests.
    /// - Throws: `GrowthTooLarge`, and what `steering` throws.
    package func grow(_ requests: [GrowthRequest], steering: Steering) throws -> [[GrownNode]] {
        var results = [[GrownNode]](repeating: [], count: requests.count)
        var free = FreeSlots(0..<budget.slots)
        var waiting = requests.indices[...]
        var growing: [Growth] = []
        while !waiting.isEmpty || !growing.isEmpty {
            var admitted: [Growth] = []
            while let index = waiting.first {
                let need = plan.slots(promptTokens: requests[index].tokens.count)
                guard let region = free.take(need) else {
                    if growing.isEmpty && admitted.isEmpty {
                        throw GrowthTooLarge(
                            id: requests[index].id, neededBytes: need * bytesPerSlot,
                            budgetBytes: budget.bytes)
                    }
                    break
                }
                admitted.append(Growth(index: index, request: requests[index], plan: plan, region: region))
                waiting.removeFirst()
            }
            if !admitted.isEmpty { pool.append(admitted.map(\.promptFeed)) }
            admitted.forEach { $0.start() }
            growing += admitted
            let feeds = growing.flatMap(\.feeds)
            if !feeds.isEmpty { pool.append(feeds) }
            for growth in growing where growth.isLevelDrawn { try growth.advance(steering) }
            for growth in growing where growth.isDone {
                results[growth.index] = growth.nodes
                free.giveBack(growth.region)
            }
            growing.removeAll(where: \.isDone)
            let open = growing.flatMap(\.openFamilies)
            if !open.isEmpty { pool.draw(open) }
        }
        return results
    }
}
