import Foundation
import ModelOptions
import StageKit
import Testing

@Suite struct MemoryTests {
    @Test(arguments: [
        ("8G", 8 << 30), ("500M", 500 << 20), ("12GiB", 12 << 30), ("12gb", 12 << 30), ("64", 64 << 20),
        ("1.5G", 3 << 29), ("2048K", 2 << 20), ("1T", 1 << 40),
    ]) func sizes(_ size: (text: String, bytes: Int)) {
        #expect(MemorySize(argument: size.text)?.bytes == size.bytes)
    }

    @Test(arguments: ["", "G", "-1G", "0", "8X", "nan", "1e9G", "8 G", "inf"]) func noSizes(_ text: String) {
        #expect(MemorySize(argument: text) == nil)
    }

    @Test func theMachineHasMemory() { #expect(MemorySize.machine.bytes > 64 << 20) }

    @Test func aPlanThatDoesntFitSaysAllNumbers() throws {
        var plan = MemoryPlan(limit: 1 << 30)
        try plan.check(remedy: "")
        plan.add("weights", 900 << 20)
        plan.add("nothing", 0)
        plan.add("keys and values", 200 << 20)
        #expect(plan.left == (1024 - 80 - 900 - 200) << 20)
        let error = #expect(throws: StageError.self) { try plan.check(remedy: "take less") }
        let text = error.map { "\($0)" } ?? ""
        for part in ["weights 900 MiB", "keys and values 200 MiB", "1.0 GiB of --memory", "take less"] {
            #expect(text.contains(part), "\(text)")
        }
        #expect(!text.contains("nothing"))
    }
}
