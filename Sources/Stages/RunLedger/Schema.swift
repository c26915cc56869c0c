import GRDB

/// The ledger's tables. Migrations are append-only: a released one is never edited.
enum Schema {
    /// "SgtL" in ASCII; tells a ledger from another program's SQLite file.
    static let applicationID: Int32 = 0x5367_744C

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("runs, artefacts, metrics, rounds") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: runs)
            try db.execute(sql: artefacts)
            try db.execute(sql: links)
            try db.execute(sql: metricsAndRounds)
        }
        return migrator
    }

    /// What only makes reading faster is no migration, so that earlier versions can go on with the ledger.
    static let laterIndexes = "CREATE INDEX IF NOT EXISTS runs_by_stage ON runs (stage)"

    private static let runs = """
        CREATE TABLE runs (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          stage TEXT NOT NULL CHECK (stage <> ''),
          run_name TEXT,
          arguments TEXT NOT NULL CHECK (json_valid(arguments)),
          settings TEXT NOT NULL CHECK (json_valid(settings)),
          pid INTEGER NOT NULL CHECK (pid > 0),
          boot TEXT NOT NULL,
          process_start INTEGER NOT NULL,
          host TEXT NOT NULL,
          version TEXT NOT NULL,
          core TEXT,
          started TEXT NOT NULL,
          finished TEXT,
          outcome TEXT NOT NULL DEFAULT 'running'
            CHECK (outcome IN ('running', 'done', 'failed', 'killed', 'skipped')),
          exit_code INTEGER,
          message TEXT,
          records_in INTEGER NOT NULL DEFAULT 0 CHECK (records_in >= 0),
          records_out INTEGER NOT NULL DEFAULT 0 CHECK (records_out >= 0),
          dropped INTEGER NOT NULL DEFAULT 0 CHECK (dropped >= 0),
          skipped INTEGER NOT NULL DEFAULT 0 CHECK (skipped >= 0),
          seconds REAL CHECK (seconds >= 0),
          peak_memory_kb INTEGER CHECK (peak_memory_kb >= 0),
          CHECK (outcome <> 'running' OR finished IS NULL),
          CHECK (outcome NOT IN ('done', 'skipped', 'failed') OR finished IS NOT NULL),
          CHECK (outcome NOT IN ('done', 'skipped') OR exit_code IN (0, 2))
        );
        CREATE INDEX runs_by_outcome ON runs (outcome);
        CREATE INDEX runs_by_name ON runs (run_name);
        """

    private static let artefacts = """
        CREATE TABLE artefacts (
          id INTEGER PRIMARY KEY,
          path TEXT NOT NULL CHECK (path <> ''),
          digest TEXT NOT NULL CHECK (length(digest) = 64),
          bytes INTEGER NOT NULL CHECK (bytes >= 0),
          kind TEXT NOT NULL CHECK (kind IN ('records', 'model', 'file')),
          UNIQUE (digest, path)
        );
        """

    private static let links = """
        CREATE TABLE run_inputs (
          run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
          artefact_id INTEGER NOT NULL REFERENCES artefacts (id),
          role TEXT NOT NULL,
          PRIMARY KEY (run_id, artefact_id, role)
        ) WITHOUT ROWID;
        CREATE INDEX run_inputs_by_artefact ON run_inputs (artefact_id);
        CREATE TABLE run_outputs (
          run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
          artefact_id INTEGER NOT NULL REFERENCES artefacts (id),
          role TEXT NOT NULL,
          PRIMARY KEY (run_id, artefact_id, role)
        ) WITHOUT ROWID;
        CREATE INDEX run_outputs_by_artefact ON run_outputs (artefact_id);
        """

    private static let metricsAndRounds = """
        CREATE TABLE metrics (
          run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
          name TEXT NOT NULL CHECK (name <> ''),
          step INTEGER CHECK (step >= 0),
          value REAL NOT NULL
        );
        CREATE UNIQUE INDEX metrics_once ON metrics (run_id, name, ifnull(step, -1));
        CREATE TABLE rounds (
          run_name TEXT NOT NULL CHECK (run_name <> ''),
          k INTEGER NOT NULL CHECK (k >= 0),
          model_digest TEXT NOT NULL CHECK (length(model_digest) = 64),
          model_path TEXT NOT NULL,
          recorded TEXT NOT NULL,
          PRIMARY KEY (run_name, k)
        ) WITHOUT ROWID;
        """
}
