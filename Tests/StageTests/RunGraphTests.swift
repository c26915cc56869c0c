import Foundation
import Testing

/// `sightline run`: a graph by the pipelines, data and programs of the copy that it belongs to.
struct RunGraphTests {
    private static let root = URL(fileURLWithPath: Workshop.fixtures).appendingPathComponent("../..")
        .standardizedFileURL.path

    /// A folder with a front door of its own.
    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.succeed("ln -s \(Self.root)/{Makefile,pipelines,data} .; mkdir runs")
        return shop
    }

    @Test func whatIsTypedReachesTheGraph() throws {
        let shop = try Workshop(prompts: 1)
        try shop.write("[sample]\nmode = \"tree\"\n", to: "mine.toml")
        try shop.succeed("mkdir r")
        let steps = try shop.succeed(
            "sightline run csr --run x --rounds 2 --prompts 7 --recipe mine.toml --relevance r --control random-pairs --dry-run"
        ).output.replacing("\\\n", with: " ")
        for part in [
            "sightline recipe mine.toml >runs/x/recipe.toml.new",
            "--count 7 --kind prompts -o runs/x/scenes/round-2", "--relevance r ", "--order random ",
            "--model \(Self.root)/data/llava",
        ] { #expect(steps.contains(part), "\(part)") }
        let own = try shop.succeed(
            "cp prompts.jsonl pope.jsonl; sightline run sima --data prompts.jsonl --exam captions=prompts.jsonl --exam pope=pope.jsonl --dry-run"
        ).output
        #expect(own.contains("runs/sima/round-1/judged.jsonl"))
        #expect(own.contains("--captions prompts.jsonl --pope pope.jsonl"))
        #expect(!shop.has("runs"))
    }

    /// The Makefile calls it, and only says what it would do where make is told so.
    @Test func makeRunsTheSame() throws {
        let shop = try workshop()
        let said = try shop.succeed("make --no-print-directory -n -o build csr RUN=x PROMPTS=7").output
        #expect(said.hasPrefix("sightline run csr --run x\n"))
        let steps = try shop.succeed("sightline run csr --run x --prompts 7 --dry-run").output
        #expect(said.dropFirst("sightline run csr --run x\n".count) == steps)
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.file("runs")).isEmpty)
    }

    /// The names of the shipped models, which a run keeps, are the same by make and by hand.
    @Test func inTheTreeItselfPathsAreItsOwn() throws {
        let steps = try Workshop().succeed("cd \(Self.root); sightline run csr --run none --dry-run").output
        #expect(steps.contains("--model data/llava ") && steps.contains("pipelines/recipes/default.toml"))
        #expect(!steps.contains("\(Self.root)/data") && !steps.contains("\(Self.root)/pipelines"))
    }

    @Test func aHeldRunEndsWithItsOwnCode() throws {
        let shop = try workshop()
        let held = "runs/x/.lock: another process is working on run x"
        try shop.succeed("mkdir runs/x")
        for (line, code) in [
            ("sightline run csr --run x", 75), ("sightline ledger run x -- true", 75),
            ("make -o build csr RUN=x", 2),
        ] {
            let ended = try shop.run("flock runs/x/.lock \(line)")
            #expect(ended.code == code && ended.errors.contains(held), "\(line): \(ended.errors)")
        }
        // Who holds the lock around it, holds it for it.
        let inner = try shop.run("sightline ledger run x -- sightline run csr --run x --rounds 0")
        #expect(inner.code == 2 && inner.errors.contains("ROUNDS=0: give a number"), "\(inner.errors)")
    }

    @Test(arguments: [
        ("sightline run csr --recipes a", 64, "sightline run: Unknown option '--recipes'"),
        ("sightline run cst", 64, "cst: no such graph; did you mean \"csr\"?"),
        ("sightline run rounds", 64, "rounds: no such graph; there are "),
        ("sightline run csr --run 'a b'", 64, "--run a b: not a name"),
        ("sightline run csr --model 'x;touch y'", 2, "it has ;"),
        ("sightline run csr --model '$(shell touch y)'", 2, "it has"),
        ("sightline run csr --rounds some", 2, "ROUNDS=some: give a number from 1, or next"),
        (
            "sightline run csr --recipe defualt", 2,
            "RECIPE=defualt: there is no such file; the included recipes are "
        ),
        (
            "PATH=/nowhere \(Workshop.programs)/sightline run csr", 1,
            "install it (on Debian: apt-get install make)"
        ),
    ])
    func whatCannotBeIsNamed(line: String, code: Int32, says: String) throws {
        let shop = try Workshop()
        let ended = try shop.run(line)
        #expect(ended.code == code && ended.errors.contains(says), "\(ended.errors)")
        #expect(!shop.has("y"))
    }

    @Test func helpListsTheGraphs() throws {
        let help = try Workshop().succeed("sightline help run").output
        #expect(help.contains("USAGE: sightline run [<options>] <graph>") && help.contains("  sima "))
        #expect(!help.contains("settings"))
    }

    /// Ten pictures go through two rounds of an installed copy in an environment as cron's, the second by the line of
    /// `crontab.example`.
    @Test func anInstalledCopyRunsUnderCron() throws {
        let shop = try OwnDataTests().workshop()
        try shop.succeed(
            """
            mkdir -p place/bin place/libexec/sightline place/share/sightline nights
            cp \(Workshop.programs)/sightline place/bin
            ln -s \(Workshop.programs)/{sample,calibrate,pair,dpo-train,eval,ledger} place/libexec/sightline
            cp -R \(Self.root)/pipelines \(Self.root)/data place/share/sightline
            \(OwnDataTests.shortened) >nights/small.toml
            rm Makefile pipelines data; mv mine nights
            """)
        let cron = "env -i SHELL=/bin/sh PATH=/usr/bin:/bin HOME=\(shop.path)"
        let own =
            "--data mine/prompts.jsonl --exam captions=mine/captions.jsonl --exam pope=mine/pope_random.jsonl"
        let first = try shop.succeed(
            "cd nights; \(cron) ../place/bin/sightline run csr --run nightly --recipe small.toml --model $LLAVA --relevance $CLIP \(own)"
        )
        #expect(first.output.contains("round-1"))

        let example = try String(contentsOfFile: "\(Self.root)/pipelines/crontab.example", encoding: .utf8)
        let line = try #require(example.split(separator: "\n").first { !$0.hasPrefix("#") })
        let job = try #require(line.wholeMatch(of: /([0-9*]+ +){5}(.*)/)).output.2
        try shop.write(job.replacing("/usr/local", with: "\(shop.path)/place") + "\n", to: "job.sh")
        try shop.succeed("\(cron) /bin/sh job.sh")
        #expect(try shop.read("nights/nightly.log").contains("round-2"))
        #expect(shop.has("nights/runs/nightly/round-2/eval/scores.json"))
        let listed = try shop.succeed("cd nights; sightline ledger list --run nightly --stage dpo-train")
        #expect(listed.output.split(separator: "\n").count == 3, "\(listed.output)")
        let held = try shop.run("flock nights/runs/nightly/.lock \(cron) /bin/sh job.sh")
        #expect(held.code == 75)
    }
}
