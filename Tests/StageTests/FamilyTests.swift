import Foundation
import Testing

/// The programs as a family: `sightline` finds them all and they introduce themselves.
struct FamilyTests {
    private static let programs: [String] = {
        let sources = URL(fileURLWithPath: Workshop.fixtures)
            .appendingPathComponent("../../Sources/Programs").standardizedFileURL.path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: sources)) ?? []
        return names.filter { !["sightline", "bench"].contains($0) }.sorted()
    }()

    @Test func everyProgramIsListedWithALine() throws {
        let shop = try Workshop()
        let listed = try shop.succeed("sightline").output.split(separator: "\n")
            .filter { $0.hasPrefix("  ") }.map { $0.split(separator: " ", maxSplits: 1) }
        #expect(listed.map { String($0[0]) }.sorted() == Self.programs)
        for line in listed {
            #expect(line.count == 2 && line[1].contains("."), "\(line[0]) says nothing of itself")
        }
    }

    @Test(arguments: programs) func everyProgramExplainsItself(program: String) throws {
        let shop = try Workshop()
        let help = try shop.succeed("sightline help \(program)")
        #expect(help.output.hasPrefix("OVERVIEW: "))
        #expect(help.output.contains("USAGE: \(program) "))
        #expect(help.errors.isEmpty)
        let wrong = try shop.run("sightline \(program) --no-such-flag")
        #expect(wrong.code == 64)
        #expect(wrong.errors.hasPrefix("\(program): "), "\(wrong.errors)")
        #expect(wrong.output.isEmpty)
    }

    @Test func anUnknownNameBringsTheNearest() throws {
        let shop = try Workshop()
        let near = try shop.run("sightline smaple prompts.jsonl")
        #expect(near.code == 64)
        #expect(near.errors == "sightline: smaple: no such program; did you mean \"sample\"?\n")
        #expect(try shop.run("sightline entirely-else").errors.contains("\"sightline\" alone lists them"))
        for line in ["sightline --version", "sightline sample --version"] {
            #expect(try shop.succeed(line).output.contains(/^\d+\.\d+\.\d+( \([-0-9a-z]+\))?\n$/))
        }
    }

    @Test(arguments: [
        ("sightline sam", "sample"), ("sightline help cal", "calibrate"), ("sightline run rl", "rlhf-v"),
        ("sightline dpo-train --bet", "--beta"), ("sightline run --roun", "--rounds"),
    ])
    func aShellCompletes(typed: String, whole: String) throws {
        let words = typed.split(separator: " ")
        let completed = try Workshop().succeed(
            """
            source <(sightline --completion bash)
            COMP_WORDS=(\(typed)); COMP_CWORD=\(words.count - 1)
            _sightline
            echo "${COMPREPLY[@]}"
            """)
        #expect(completed.output.split(separator: /\s/).contains { $0 == whole }, "\(completed.output)")
        #expect(try Workshop().run("sightline --completion fish").code == 64)
    }

    @Test func anInstalledFamilyIsFoundBesideBin() throws {
        let shop = try Workshop()
        try shop.succeed(
            """
            mkdir -p place/bin place/libexec/sightline
            cp \(Workshop.programs)/sightline place/bin
            cp \(Workshop.programs)/ledger place/libexec/sightline
            PATH=/usr/bin:/bin place/bin/sightline ledger --help
            """)
        // The revision that was installed, unless the note is of an older build.
        try shop.succeed("echo abc123 >place/libexec/sightline/revision")
        let version = "place/bin/sightline --version; place/bin/sightline ledger --version"
        #expect(try shop.succeed(version).output.matches(of: /\(abc123\)\n/).count == 2)
        let older = "touch -d 2000-01-01 place/libexec/sightline/revision"
        #expect(try !shop.succeed("\(older); \(version)").output.contains("abc123"))
        let missing = try shop.run("place/bin/sightline sample")
        #expect(missing.code == 64)
        #expect(missing.errors.contains("build or install it again"))
    }
}
