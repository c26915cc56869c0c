import Testing

@Suite struct ConfigTests {
    @Test func allFaultsAreListedAtOnce() throws {
        let folder = try Folder()
        try folder.write(
            """
            stray = 1
            [stage-probe]
            temperture = 2
            copies = "abc"
            note = 3
            config = "x"
            model = ["a"]
            drop = ["a", 1979-05-27]
            [sample]
            whatever = 1
            """, to: "c.toml")
        let ended = try probe.run(["--config", "c.toml"], in: folder)
        #expect(ended.code == 64)
        for fault in [
            #"key "stray" is outside any table; put it under [stage-probe]"#,
            #"[stage-probe] temperture: no such option; did you mean "temperature"?"#,
            "[stage-probe] The value 'abc' is invalid for '--copies",
            "[stage-probe] note: integer; it must be true or false",
            "[stage-probe] config: this belongs on the command line; remove it",
            "[stage-probe] model: an array; it takes one value",
            "[stage-probe] drop: date; it must be a string or a finite number",
        ] { #expect(ended.errors.contains("c.toml: " + fault), "\(ended.errors)") }
        #expect(ended.errors.split(separator: "\n").count == 7)
    }

    /// Under a table of another name a program would run on its defaults and say nothing.
    @Test func aTableIsThatOfAProgram() throws {
        let folder = try Folder()
        try folder.write(records(1), to: "in")
        for (table, says) in [
            ("dpo-tarin", "table [dpo-tarin]: no such program; did you mean [dpo-train]?"),
            ("dpo_train", "did you mean [dpo-train]?"), ("self-critique", "did you mean [self-critic]?"),
            ("stageprobe", "did you mean [stage-probe]?"), ("ledger", "table [ledger]: no such program; "),
            ("optimiser", "tables are those of sample, self-critic, "),
        ] {
            try folder.write("[\(table)]\nbeta = 1\n[stage-probe]\nnote = false\n", to: "c.toml")
            let ended = try probe.run(["in", "--config", "c.toml"], in: folder)
            #expect(ended.code == 64 && ended.output.isEmpty)
            #expect(ended.errors.contains("c.toml: ") && ended.errors.contains(says), "\(ended.errors)")
        }
        try folder.write(
            "[eval]\nx = 1\n[\"eval compare\"]\nx = 1\n[stage-probe]\nnote = false\n", to: "c.toml")
        #expect(try probe.run(["in", "--config", "c.toml"], in: folder).code == 0)
    }

    @Test(arguments: [
        "[[[": "1:3", "\u{FEFF}[,": "1:5", "[": "1:2", "a = 1\n  [[ .x]]": "2:6", "[a]\nx=[\n[1]]\n[{": "4:2",
        "x = \"\"\"\n[,\n\"\"\"\n[#": "4:2", "x = 'a\n[}": "2:2", "[\"a\"]\n# [\n[[é]]": "3:3",
    ]) func aTableWithoutANameIsAnError(text: String, place: String) throws {
        let folder = try Folder()
        try folder.write(text, to: "c.toml")
        let ended = try probe.run(["--config", "c.toml"], in: folder)
        #expect(ended.code == 1)
        #expect(
            ended.errors.contains("c.toml:\(place): a table without a name; fix the TOML"), "\(ended.errors)"
        )
    }

    @Test func listsOfListsAreNoTables() throws {
        let folder = try Folder()
        try folder.write(records(1), to: "in")
        let lists = "[eval]\nx = [\n[[1]],\n[[[2]]]\n]\n"
        try folder.write(lists + "y = \"\"\"\n[,\n\"\"\"\nz = '#'\n", to: "c.toml")
        let ended = try probe.run(["in", "--config", "c.toml"], in: folder)
        #expect(ended.code == 0, "\(ended.errors)")
    }

    @Test func typedOptionsStandAboveConfiguredOnes() throws {
        let folder = try Folder()
        try folder.write(
            "[stage-probe]\ninput = [\"in\"]\ntemperature = 0.5\nnote = false\ndrop = [\"r1\"]\ncopies = 1\n",
            to: "c.toml")
        try folder.write(records(2), to: "in")
        try folder.write(#"{"id":"other"}"#, to: "typed")
        func output(_ options: [String]) throws -> String {
            try probe.run(["--config=c.toml"] + options, in: folder).output
        }
        #expect(try output([]) == #"{"id":"r2","prompt":"p","x":1.0}"# + "\n")
        #expect(try output(["--note"]) == #"{"id":"r2","prompt":"p","x":1.0,"temperature":0.5}"# + "\n")
        #expect(try output(["--drop", "r2"]) == #"{"id":"r1","prompt":"p","x":1.0}"# + "\n")
        #expect(
            try output(["typed", "--note", "--temperature", "3"]) == #"{"id":"other","temperature":3.0}"#
                + "\n")
    }

    @Test func printedConfigurationReadsBackToItself() throws {
        let folder = try Folder()
        try folder.write("[stage-probe]\ntemperature = 1e-7\ndrop = [\"a \\\"b\\\"\", \"7\"]\n", to: "c.toml")
        let first = try probe.run(
            ["--config", "c.toml", "in", "-o", "out", "--no-note", "--print-config"], in: folder)
        #expect(first.code == 0)
        #expect(first.output.contains("temperature = 1e-07\n"))
        #expect(first.output.contains(#"drop = ["a \"b\"", 7]"#))
        #expect(first.output.contains("note = false\n"))
        try folder.write(first.output, to: "d.toml")
        let second = try probe.run(["--config", "d.toml", "--print-config"], in: folder)
        #expect(second.output == first.output)
    }

    @Test func brokenFilesAreNamedWithTheirPlace() throws {
        let folder = try Folder()
        try folder.write("[stage-probe]\ncopies = = 2\n", to: "c.toml")
        let ended = try probe.run(["--config", "c.toml"], in: folder)
        #expect(ended.code == 1)
        #expect(ended.errors.hasPrefix("stage-probe: c.toml:2:"))
        #expect(
            try probe.run(["--config", "none.toml"], in: folder).errors.contains("none.toml: can't open"))
        try folder.write("[sample]\na = 1\n", to: "e.toml")
        let other = try probe.run(["--config", "e.toml"], in: folder, input: #"{"id":"a"}"#)
        #expect(other.code == 0)
        #expect(other.errors.contains("e.toml has no table [stage-probe]; nothing taken from it"))
    }
}
