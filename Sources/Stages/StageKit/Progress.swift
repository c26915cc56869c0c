import Foundation
import Synchronization

/// How far the work is: a line with bar, rate and time left on a terminal, otherwise a plain line
/// every ten seconds, nothing under `--quiet`. The first comes within two seconds, whatever has been done by then.
package final class Progress: Sendable {
    private struct State {
        var done: Int
        var detail = ""
        var lastShown: ContinuousClock.Instant
        /// Whether a first line is still owed: neither shown nor is the work over.
        var owesFirst = true
    }

    private let console: Console
    private let total: Int?
    private let unit: String
    private let began: ContinuousClock.Instant
    /// Done by an earlier run, so that it doesn't count for the rate.
    private let resumed: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - total: how many there will be, where that is known.
    ///   - resumed: how many of them an earlier run has done.
    package init(console: Console, total: Int?, unit: String, resumed: Int = 0) {
        self.console = console
        self.total = total
        self.unit = unit
        self.resumed = resumed
        let now = ContinuousClock.now
        began = now
        state = Mutex(State(done: resumed, lastShown: now))
        if console.isQuiet { return }
        Thread.detachNewThread { [weak self] in
            usleep(1_500_000)
            self?.show { state, _ in state.owesFirst }
        }
    }

    /// - Parameter detail: shown after the numbers, such as "loss 0.693".
    package func advance(by count: Int = 1, detail: String? = nil) {
        guard !console.isQuiet else { return }
        let pause: Duration = console.isTerminal ? .milliseconds(100) : .seconds(10)
        show { state, now in
            state.done += count
            if let detail { state.detail = detail }
            return now - state.lastShown >= pause
        }
    }

    /// Shows the line where `update` says that it's time.
    private func show(_ update: (inout State, ContinuousClock.Instant) -> Bool) {
        let line: String? = state.withLock { state in
            let now = ContinuousClock.now
            guard update(&state, now) else { return nil }
            state.lastShown = now
            state.owesFirst = false
            return render(done: state.done, detail: state.detail, seconds: (now - began).inSeconds)
        }
        guard let line else { return }
        if console.isTerminal { console.showBar(line) } else { console.say(line) }
    }

    /// Takes the bar away.
    package func finish() {
        state.withLock { $0.owesFirst = false }
        if console.isTerminal, !console.isQuiet { console.showBar("") }
    }

    private func render(done: Int, detail: String, seconds: Double) -> String {
        let rate = seconds > 0 ? Double(done - resumed) / seconds : 0
        var parts = [total.map { "\(done)/\($0) \(unit)" } ?? "\(done) \(unit)"]
        if rate > 0 {
            parts.append(rate >= 10 ? String(format: "%.0f/s", rate) : String(format: "%.2f/s", rate))
        }
        parts.append(Self.clock(seconds))
        if let total, rate > 0 { parts.append("\(Self.clock(Double(max(0, total - done)) / rate)) left") }
        if !detail.isEmpty { parts.append(detail.withoutControls) }
        let text = parts.joined(separator: "  ")
        guard console.isTerminal else { return text }
        return "\(console.name) \(bar(done: done))\(text)"
    }

    private func bar(done: Int) -> String {
        guard let total, total > 0 else { return "" }
        let width = 24
        let filled = min(width, width * done / total)
        let full = String(repeating: "━", count: filled)
        let rest = String(repeating: "─", count: width - filled)
        return (console.hasColour ? "\u{1B}[36m\(full)\u{1B}[2m\(rest)\u{1B}[0m" : full + rest) + "  "
    }

    /// `1:02:03`
    static func clock(_ seconds: Double) -> String {
        let whole = seconds < 360_000_000 ? Int(seconds) : 360_000_000
        let (hours, minutes) = (whole / 3600, whole / 60 % 60)
        return hours > 0
            ? String(format: "%d:%02d:%02d", hours, minutes, whole % 60)
            : String(format: "%d:%02d", minutes, whole % 60)
    }
}

extension Duration {
    /// The duration in seconds.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
