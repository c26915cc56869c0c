import Foundation
import Testing

/// Pictures as people have them: transparent, linked, in other formats, or in the record itself.
struct PictureTests {
    /// Relevance of one sentence to the picture `image`, under further options.
    private func relevance(_ shop: Workshop, _ image: String, _ options: String = "") throws -> String {
        try shop.write(
            #"{"id":"1","image":"\#(image)","prompt":"What is it?","#
                + #""nodes":[{"parent":-1,"text":"A cat.","ids":[],"logprob":-1,"end":"stop"}],"#
                + #""candidates":[{"id":"c0","path":[0],"text":"A cat.","draw":{"mode":"sentence-tree"}}]}"#
                + "\n", to: "asked.jsonl")
        let line = try shop.succeed("sightline calibrate asked.jsonl --relevance $CLIP \(options)").output
        return String(try #require(line.firstMatch(of: /"relevance":([-0-9.e]+)/)).1)
    }

    @Test func whatIsTransparentIsLaidOntoWhite() throws {
        let shop = try Workshop()
        try shop.succeed("cp $FIXTURES/imaging/{rgba8,rgb8}.png .")
        let white = try relevance(shop, "rgba8.png")
        #expect(try relevance(shop, "rgba8.png", "--alpha white") == white)
        #expect(try relevance(shop, "rgba8.png", "--alpha drop") != white)
        #expect(try relevance(shop, "rgb8.png") == relevance(shop, "rgb8.png", "--alpha drop"))
        let wrong = try shop.run("sightline sample prompts.jsonl --model $LLAVA --alpha black")
        #expect(wrong.code == 64 && wrong.errors.contains("--alpha"), "\(wrong.errors)")
    }
}
