import Foundation

/// "loss 0.6931 rewards/margins 0.012": metrics for a progress line.
package func describe(_ metrics: Metrics) -> String {
    metrics.map { "\($0.name) \(String(format: "%.4g", $0.value))" }.joined(separator: " ")
}
