import Foundation
import Imaging
import Kernels
import Model
import PictureWorld
import Random
import Tokenizer

/// How often a CLIP prefers a true sentence to the same sentence with one thing made false.
struct SentenceProbe {
    let model: Clip
    let tokenizer: Tokenizer
    let processor: ImageProcessor

    func accuracies(on pictures: ScenePictures, seed: UInt64) throws -> [(Falsehood, Double, Int)] {
        var right: [Falsehood: Int] = [:]
        var all: [Falsehood: Int] = [:]
        var random = SplitMix64(seed: seed, purpose: "probe")
        let arena = Arena()
        for start in stride(from: 0, to: pictures.count, by: 32) {
            let chosen = Array(start..<min(pictures.count, start + 32))
            var texts: [String] = []
            var pairs: [(image: Int, kind: Falsehood)] = []
            for (image, index) in chosen.enumerated() {
                let scene = pictures.scenes[index]
                for sentence in scene.trueSentences(seed: seed) {
                    for kind in Falsehood.allCases {
                        guard let wrong = scene.falsify(sentence, kind, using: &random) else { continue }
                        texts += [sentence, wrong]
                        pairs.append((image, kind))
                    }
                }
            }
            arena.reset()
            let ids = texts.map { tokenizer.encode($0, addSpecialTokens: true) }
            let logits = model.forward(try pictures.loadPixels(chosen, processor), ids, arena).logits
            for (number, pair) in pairs.enumerated() {
                all[pair.kind, default: 0] += 1
                let isRight = logits[pair.image, 2 * number] > logits[pair.image, 2 * number + 1]
                right[pair.kind, default: 0] += isRight ? 1 : 0
            }
        }
        return Falsehood.allCases.compactMap { kind in
            all[kind].map { (kind, Double(right[kind] ?? 0) / Double($0), $0) }
        }
    }
}
