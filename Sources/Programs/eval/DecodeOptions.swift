import ArgumentParser
import Decoding
import Exams
import Foundation
import Imaging
import Model
import StageKit

/// Baselines that change nothing but how answers are drawn.
struct DecodeOptions: ParsableArguments {
    enum Method: String, CaseIterable, ExpressibleByArgument { case vcd, vdd, posthoc }

    /// What stands in the picture's place where it isn't seen.
    enum Blindness: String, CaseIterable, ExpressibleByArgument { case none, unk, both }

    @Option(
        help:
            "Hold the picture against a noised one (VCD), or none (VDD), or free short answers of their odds without one (post-hoc debiasing)."
    )
    var decode: Method?
    @Option(help: ArgumentHelp("α of vcd and vdd: how much of the difference is added.", valueName: "number"))
    var contrast: Float = 1
    @Option(
        help: ArgumentHelp(
            "β of vcd and vdd: tokens less than so many times as likely as the likeliest are left out.",
            valueName: "number"))
    var plausibility: Float = 0.1
    @Option(help: ArgumentHelp("Diffusion step of vcd's noise, from 0 to 999.", valueName: "n"))
    var noiseStep = DiffusionNoise.usualStep
    @Option(help: ArgumentHelp("Seed of vcd's noise.", valueName: "n")) var noiseSeed: UInt64 = 0
    @Option(help: "What vdd and posthoc show in the picture's place: nothing, an unknown token, or both.")
    var blind = Blindness.none
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The answers that posthoc chooses from, each one token.", valueName: "word"))
    var choices: [String] = []
    @Flag(help: "Take the odds without a picture away instead of dividing by them (posthoc).")
    var subtract = false

    func validate() throws {
        if !contrast.isFinite || contrast < 0 {
            throw ValidationError("--contrast \(contrast): give a number from 0")
        }
        if !(plausibility > 0 && plausibility <= 1) {
            throw ValidationError("--plausibility \(plausibility): give a number above 0, at most 1")
        }
        if !DiffusionNoise.steps.contains(noiseStep) {
            throw ValidationError("--noise-step \(noiseStep): give a number from 0 to 999")
        }
        if decode == .posthoc, Set(choices).count < 2 {
            throw ValidationError(
                "--decode posthoc: give the --choices that are answered with, such as Yes No")
        }
    }

    /// Whether an exam of captions can be taken so.
    var takesCaptions: Bool { decode != .posthoc }

    func refuseIdle(_ given: GivenOptions) throws {
        let isDifference = decode == .vcd || decode == .vdd
        try given.refuse(
            ["contrast", "plausibility"], where: !isDifference, belongingTo: "--decode vcd or vdd")
        try given.refuse(["noise-step", "noise-seed"], where: decode != .vcd, belongingTo: "--decode vcd")
        try given.refuse(
            ["blind"], where: decode != .vdd && decode != .posthoc, belongingTo: "--decode vdd or posthoc")
        try given.refuse(["choices", "subtract"], where: decode != .posthoc, belongingTo: "--decode posthoc")
    }

    /// As the score sheet keeps it; nil where answers are drawn as always.
    var description: String? {
        switch decode {
        case nil: nil
        case .vcd: "vcd, alpha \(contrast), beta \(plausibility), step \(noiseStep), seed \(noiseSeed)"
        case .vdd: "vdd, alpha \(contrast), beta \(plausibility), picture \(blind)"
        case .posthoc:
            "posthoc, \(choices.joined(separator: "|")), picture \(blind)\(subtract ? ", subtracts" : "")"
        }
    }

    /// - Throws: `StageError` for a choice that isn't one token of the model's.
    func contrast(of model: VisionLanguageModel) throws -> Examinee.Contrasting? {
        let blinds: [Examinee.Context] =
            switch blind {
            case .none: [.noPicture]
            case .unk: [.unknownToken]
            case .both: [.noPicture, .unknownToken]
            }
        switch decode {
        case nil: return nil
        case .vcd:
            return .init(
                rule: .difference(alpha: contrast, beta: plausibility),
                contexts: [.noised(DiffusionNoise(step: noiseStep))])
        case .vdd: return .init(rule: .difference(alpha: contrast, beta: plausibility), contexts: blinds)
        case .posthoc:
            let labels = try choices.map { word in
                let ids = try model.encode(prompt: "?", picture: nil, answers: [word]).answers[0]
                // The end token stands behind it.
                guard ids.count == 2 else {
                    throw StageError.usage(
                        "--choices \(word): \(ids.count - 1) tokens of this model; give words of one")
                }
                return ids[0]
            }
            return .init(rule: .labels(labels, subtracts: subtract), contexts: blinds)
        }
    }
}
