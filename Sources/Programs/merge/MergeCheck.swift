import Checkpoint
import Foundation
import Model
import StageKit

/// What the check of a merged model found.
struct MergeCheck: CustomStringConvertible {
    /// Largest difference of a logit to base and adapter side by side.
    let difference: Float
    /// The same with the adapter left out: what it does at all.
    private let effect: Float
    private let agreement: Double
    private let type: ElementType

    /// Of the logits' magnitude: f32 sums in another order.
    private static let tolerance: Float = 1e-4

    /// - Throws: `StageError` where folding changed what the model says.
    static func fold(_ sideBySide: Logits, _ folded: Logits, _ output: String) throws {
        guard sideBySide.scale.isFinite else {
            throw StageError.failed(
                "\(output): base and adapter give logits that are not finite; use a sound adapter")
        }
        let difference = sideBySide.difference(folded)
        guard difference <= tolerance * max(1, sideBySide.scale) else {
            throw StageError.failed(
                "\(output): folding moves logits by \(difference) where the largest is \(sideBySide.scale); report "
                    + "this")
        }
    }

    /// - Parameters:
    ///   - folded: base plus adapter in f32, as it was written.
    ///   - written: what the files hold.
    ///   - logits: base and adapter side by side, and the written model.
    ///   - without: the base alone.
    /// - Throws: `StageError` for a weight that is not its sum rounded, or logits that are not those of base
    ///   and adapter.
    init(
        folded: [Parameter], written: [Parameter], type: ElementType, logits: (Logits, Logits),
        without: Logits,
        _ output: String
    ) throws {
        self.type = type
        for (sum, stored) in zip(folded, written) {
            guard let index = Self.firstWrong(sum, stored, type) else { continue }
            let values = (sum.values[index], stored.values[index])
            throw StageError.failed(
                "\(output): \(sum.name)[\(index)] is \(values.0) and was written as \(values.1); write "
                    + "another --dtype")
        }
        difference = logits.0.difference(logits.1)
        effect = logits.0.difference(without)
        agreement = logits.0.agreement(logits.1)
        let isExact = type == .f32
        guard logits.1.scale.isFinite, !isExact || difference <= Self.tolerance * max(1, logits.0.scale)
        else {
            throw StageError.failed(
                "\(output): the written model's logits differ by \(difference) from base and adapter; write "
                    + "another --dtype")
        }
    }

    /// The first number that is not the nearest of its format.
    private static func firstWrong(_ sum: Parameter, _ stored: Parameter, _ type: ElementType) -> Int? {
        // Half a unit in the last place of 11 or 8 significant bits, and of f16's subnormals.
        let (relative, absolute): (Float, Float) =
            switch type {
            case .f16: (0x1p-11, 0x1p-25)
            case .bf16: (0x1p-8, 0)
            default: (0, 0)
            }
        return zip(sum.values, stored.values).enumerated().first { _, pair in
            let (wanted, found) = pair
            return !(abs(wanted - found) <= max(absolute, relative * abs(wanted)))
        }?.offset
    }

    var description: String {
        let share = String(format: "%.1f%%", 100 * agreement)
        let rounding = type == .f32 ? "" : " by rounding to \(type.rawValue.lowercased())"
        let note = effect == 0 ? "; the adapter changes nothing" : ""
        return
            "every weight checked; logits differ\(rounding) by at most \(difference) from base and adapter, "
            + "which move the base's by \(effect)\(note); the likeliest token agrees in \(share) of places"
    }
}
