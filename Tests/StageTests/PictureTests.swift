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
        #expect(try relevance(shop, "rgba8.png", "--image-alpha drop") != white)
        // A LoRA has an α of its own.
        try shop.write(
            #"{"image":"rgba8.png","prompt":"?","chosen":"A cat.","rejected":"A dog."}"# + "\n",
            to: "pairs.jsonl")
        for rule in ["white", "drop"] {
            let train = "sightline dpo-train pairs.jsonl --model $LLAVA --rank 2 --alpha 4 --hold-out 0"
            try shop.succeed("\(train) --image-alpha \(rule) -o \(rule)")
        }
        let weights = try ["white", "drop"].map { try shop.bytes("\($0)/adapter_model.safetensors") }
        #expect(weights[0] != weights[1])
        let wrong = try shop.run("sightline sample prompts.jsonl --model $LLAVA --alpha black")
        #expect(wrong.code == 64 && wrong.errors.contains("--alpha"), "\(wrong.errors)")
    }

    /// A folder of links, as one has COCO, and a snapshot of the Hub.
    @Test func linkedPicturesAreRead() throws {
        let shop = try Workshop()
        try shop.succeed(
            """
            mkdir -p data hub/blobs hub/snapshots/x; ln -s ../pictures data/coco
            cp pictures/picture-0.png hub/blobs/0ab1; ln -s ../../blobs/0ab1 hub/snapshots/x/0.jpg
            """)
        let own = try relevance(shop, "picture-0.png", "--image-root pictures")
        for (image, root) in [("coco/picture-0.png", "data"), ("0.jpg", "hub/snapshots/x")] {
            #expect(try relevance(shop, image, "--image-root \(root)") == own)
            let strict = try shop.run(
                "sightline calibrate asked.jsonl --relevance $CLIP --image-root \(root) --no-links")
            let says = "asked.jsonl:1: image \(image): a link leads to "
            #expect(strict.code == 1 && strict.errors.contains(says), "\(strict.errors)")
            #expect(strict.errors.contains("leave --no-links out"))
        }
    }

    @Test func picturesMayStandInTheRecord() throws {
        let shop = try Workshop()
        let bytes = try shop.bytes("pictures/picture-0.png").base64EncodedString()
        let own = try relevance(shop, "pictures/picture-0.png")
        #expect(try relevance(shop, "data:image/png;base64,\(bytes)") == own)
        try shop.write(
            #"{"images":["data:image/png;base64,\#(bytes)"],"prompt":"x","chosen":"a","rejected":"b"}"# + "\n"
                + #"{"images":["https://example.org/a.jpg"],"prompt":"x","chosen":"a","rejected":"b"}"#
                + "\n",
            to: "rows.jsonl")
        let train = "sightline dpo-train --model $LLAVA --rank 2 --hold-out 0"
        let ended = try shop.succeed(
            "sightline import rows.jsonl --limit 1 -o pairs.jsonl && \(train) pairs.jsonl -o adapter")
        #expect(ended.errors.contains("1 of 1 records have a picture"))
        let address = try shop.run("sightline import rows.jsonl")
        #expect(
            address.errors.contains(
                #"rows.jsonl:2: wrong value: key "image" is a URL (https://example.org/a.jpg); download it"#
            ))
        try shop.succeed("sed -n 2p rows.jsonl | sed 's/^{/{\"id\":\"u\",/' >url.jsonl")
        let opened = try shop.run("\(train) url.jsonl -o out")
        #expect(opened.code == 1 && opened.errors.contains("url.jsonl:1: image https://example.org/a.jpg: "))
        // No message repeats the picture.
        let broken = try shop.run(
            #"""
            echo '{"id":"b","image":"data:image/jpeg;base64,\#(bytes.prefix(bytes.count / 8 * 4))","prompt":"x"}' >broken.jsonl
            sightline sample broken.jsonl --model $LLAVA
            """#)
        #expect(broken.code == 1 && broken.errors.utf8.count < 300, "\(broken.errors)")
    }

    @Test(arguments: ["lossy.webp", "animated.webp", "interlaced.gif", "transparent.gif"])
    func webPAndGIFAreRead(file: String) throws {
        let shop = try Workshop()
        try shop.succeed("cp $FIXTURES/imaging/\(file) .")
        _ = try relevance(shop, file)
        try shop.write(#"{"id":"a","image":"\#(file)","prompt":"x"}"# + "\n", to: "p.jsonl")
        try shop.succeed("sightline sample p.jsonl --model $LLAVA --count 1 --max-tokens 2 -o drawn.jsonl")
        try shop.succeed("sightline sample p.jsonl --model $LLAVA --dry-run")
        try shop.succeed("head -c 20 \(file) >cut; mv cut \(file)")
        let ended = try shop.run("sightline sample p.jsonl --model $LLAVA --dry-run -o none.jsonl")
        #expect(ended.code == 1 && ended.errors.contains("p.jsonl:1: "), "\(ended.errors)")
        #expect(ended.errors.contains("the image data end too early"), "\(ended.errors)")
    }
}
