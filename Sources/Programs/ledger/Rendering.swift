import Foundation
import JSON
import Records
import RunLedger
import StageKit

/// Text for people.
enum Text {
    static func date(_ date: Date) -> String {
        let style = Date.VerbatimFormatStyle(
            format: """
                \(year: .defaultDigits)-\(month: .twoDigits)-\(day: .twoDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                \(second: .twoDigits)
                """, timeZone: .current, calendar: Calendar(identifier: .gregorian))
        return date.formatted(style)
    }

    static func seconds(_ seconds: Double) -> String { String(format: "%.1f s", seconds) }

    static func artefact(_ artefact: Artefact) -> String {
        "\(artefact.path == "-" ? "(stream)" : artefact.path)  \(artefact.digest.prefix(12))  \(artefact.bytes) bytes"
    }

    static func metric(_ metric: Metric) -> String {
        "\(metric.value)" + (metric.step.map { " at step \($0)" } ?? "")
    }
}

extension Metric {
    /// The last step of each name, by name.
    static func last(_ metrics: [Metric]) -> [Metric] {
        var last: [String: Metric] = [:]
        for metric in metrics { last[metric.name] = metric }
        return last.values.sorted { $0.name < $1.name }
    }
}

/// A run as names and values, for people and for programs.
enum RunJSON {
    static func lines(_ run: Run) throws -> [(name: String, value: String)] {
        let arguments = try JSONObject(parsing: "{\"a\":\(run.arguments)}").requiredStrings("a")
        let counts = run.counts
        let optional: [(String, String?)] = [
            ("id", "\(run.id)"), ("stage", run.stage), ("run", run.runName),
            ("outcome", run.currentOutcome.rawValue), ("exit code", run.exitCode.map { "\($0)" }),
            ("message", run.message), ("arguments", arguments.joined(separator: " ")),
            ("started", Text.date(run.started)), ("finished", run.finished.map(Text.date)),
            ("time", run.seconds.map(Text.seconds)),
            (
                "records",
                "\(counts.read) in, \(counts.written) out, \(counts.dropped) dropped, \(counts.skipped) skipped"
            ),
            ("peak memory", run.peakMemoryKB.map { "\($0 / 1024) MiB" }), ("core", run.core),
            ("host", run.process.host), ("pid", "\(run.process.pid)"), ("version", run.version),
        ]
        return optional.compactMap { name, value in value.map { (name, $0) } }
    }

    static func settings(_ run: Run) throws -> [(name: String, value: String)] {
        let settings = try JSONObject(parsing: run.settings)
        return try settings.keys.map { ("--\($0)", try settings.requiredString($0)) }
    }

    static func of(
        _ run: Run, inputs: [LinkedArtefact] = [], outputs: [LinkedArtefact] = [], metrics: [Metric] = []
    ) throws -> JSONObject {
        var object = JSONObject()
        object.set("id", .int(run.id))
        object.set("stage", .string(run.stage))
        object.set("run", run.runName.map { .string($0) } ?? JSON.null)
        object.set("outcome", .string(run.currentOutcome.rawValue))
        object.set("exit_code", run.exitCode.map { .int($0) } ?? JSON.null)
        object.set("message", run.message.map { .string($0) } ?? JSON.null)
        object.set("arguments", try JSON(parsing: run.arguments))
        object.set("settings", try JSON(parsing: run.settings))
        object.set("started", .string(run.started.ISO8601Format()))
        object.set("finished", run.finished.map { .string($0.ISO8601Format()) } ?? JSON.null)
        object.set("seconds", try run.seconds.map { try .double($0) } ?? JSON.null)
        object.set("peak_memory_kb", run.peakMemoryKB.map { .int($0) } ?? JSON.null)
        for (key, count) in [
            ("records_in", run.counts.read), ("records_out", run.counts.written),
            ("dropped", run.counts.dropped),
            ("skipped", run.counts.skipped),
        ] { object.set(key, .int(count)) }
        object.set("core", run.core.map { .string($0) } ?? JSON.null)
        object.set("version", .string(run.version))
        if !inputs.isEmpty { object.set("inputs", .array(inputs.map(link))) }
        if !outputs.isEmpty { object.set("outputs", .array(outputs.map(link))) }
        if !metrics.isEmpty {
            var values = JSONObject()
            for metric in metrics { values.set(metric.name, try .double(metric.value)) }
            object.set("metrics", .object(values))
        }
        return object
    }

    private static func link(_ link: LinkedArtefact) -> JSON {
        var object = JSONObject()
        object.set("role", .string(link.role))
        object.set("path", .string(link.artefact.path))
        object.set("digest", .string(link.artefact.digest))
        object.set("bytes", .int(link.artefact.bytes))
        object.set("kind", .string(link.artefact.kind.rawValue))
        return .object(object)
    }
}
