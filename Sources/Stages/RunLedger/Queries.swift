import GRDB

/// One step of a lineage: the run that made an artefact, and what it was made from.
package struct LineageStep: Sendable {
    package let depth: Int
    package let artefact: Artefact
    /// nil where the ledger doesn't know who made it: a beginning, such as the prompts.
    package let run: Run?
    package let role: String
}

extension Ledger {
    package struct Filter: Sendable {
        package var stage: String?
        package var runName: String?
        package var outcome: Outcome?
        package var limit: Int

        package init(stage: String? = nil, runName: String? = nil, outcome: Outcome? = nil, limit: Int = 50) {
            self.stage = stage
            self.runName = runName
            self.outcome = outcome
            self.limit = limit
        }
    }

    /// The newest runs that match, oldest of them first.
    package func runs(_ filter: Filter) throws -> [Run] {
        let given = [
            ("stage", filter.stage), ("run_name", filter.runName), ("outcome", filter.outcome?.rawValue),
        ].compactMap { column, value in value.map { (column: column, value: $0) } }
        // Only a condition that stands alone is answered by an index.
        let condition = given.isEmpty ? "1" : given.map { "\($0.column) = ?" }.joined(separator: " AND ")
        return try read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM runs WHERE \(condition) ORDER BY id DESC LIMIT ?",
                arguments: StatementArguments(given.map { $0.value }) + [filter.limit]
            ).map(Run.init).reversed()
        }
    }

    /// - Throws: `LedgerError.noSuchRun`.
    package func run(_ id: Int64) throws -> Run {
        let found = try read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM runs WHERE id = ?", arguments: [id]).map(Run.init)
        }
        guard let found else { throw LedgerError.noSuchRun(path: path, id: id) }
        return found
    }

    package func inputs(of id: Int64) throws -> [LinkedArtefact] { try links("run_inputs", id) }
    package func outputs(of id: Int64) throws -> [LinkedArtefact] { try links("run_outputs", id) }

    private func links(_ table: String, _ id: Int64) throws -> [LinkedArtefact] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT a.*, l.role FROM \(table) l JOIN artefacts a ON a.id = l.artefact_id
                    WHERE l.run_id = ? ORDER BY l.role, a.path
                    """, arguments: [id]
            ).map { LinkedArtefact(role: $0["role"], artefact: try Artefact($0)) }
        }
    }

    /// By name, then step.
    package func metrics(of id: Int64) throws -> [Metric] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT name, value, step FROM metrics WHERE run_id = ? ORDER BY name, step",
                arguments: [id]
            ).map { Metric(name: $0["name"], value: $0["value"], step: $0["step"]) }
        }
    }

    package func rounds(of runName: String?) throws -> [Round] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM rounds WHERE ?1 IS NULL OR run_name = ?1 ORDER BY run_name, k",
                arguments: [runName]
            ).map {
                Round(
                    runName: $0["run_name"], k: $0["k"], modelDigest: $0["model_digest"],
                    modelPath: $0["model_path"], recorded: $0["recorded"])
            }
        }
    }

    /// Artefacts of this content, under whatever path.
    package func artefacts(digest: String) throws -> [Artefact] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM artefacts WHERE digest = ? ORDER BY path", arguments: [digest]
            )
            .map(Artefact.init)
        }
    }

    /// The artefact, who made it, from what, and so on back to what nobody here has made.
    /// Contents connect the steps, so streams between programs and renamed files are followed.
    package func lineage(of artefact: Artefact) throws -> [LineageStep] {
        var steps: [LineageStep] = []
        var seen: Set<String> = []
        try follow(LinkedArtefact(role: "", artefact: artefact), 0, &seen, &steps)
        return steps
    }

    private func follow(
        _ link: LinkedArtefact, _ depth: Int, _ seen: inout Set<String>, _ steps: inout [LineageStep]
    ) throws {
        let isNew = seen.insert(link.artefact.digest).inserted
        let maker = try maker(of: link.artefact.digest)
        steps.append(LineageStep(depth: depth, artefact: link.artefact, run: maker, role: link.role))
        guard isNew, let maker else { return }
        for input in try inputs(of: maker.id) { try follow(input, depth + 1, &seen, &steps) }
    }

    /// The latest finished run that put out this content.
    private func maker(of digest: String) throws -> Run? {
        try read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT r.* FROM runs r JOIN run_outputs o ON o.run_id = r.id
                      JOIN artefacts a ON a.id = o.artefact_id
                    WHERE a.digest = ? AND r.outcome IN ('done', 'skipped') ORDER BY r.id DESC LIMIT 1
                    """, arguments: [digest]
            ).map(Run.init)
        }
    }
}
