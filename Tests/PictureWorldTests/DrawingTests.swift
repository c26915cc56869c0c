import Imaging
import PictureWorld
import Testing

@Suite struct DrawingTests {
    @Test func aSceneIsAlwaysDrawnInTheSameBytes() throws {
        let scene = sampleScenes(1)[0]
        #expect(scene.draw() == scene.draw())
        #expect(try encodePNG(scene.draw()) == encodePNG(scene.draw()))
        #expect(sampleScenes(2)[1].draw() != scene.draw())
    }

    /// The same picture at another size: its 4 × 4 means differ from the small one at edges only.
    @Test func sizeChangesTheFinenessOnly() {
        for scene in sampleScenes(8) {
            let small = scene.draw(size: 128)
            let large = scene.draw(size: 512)
            #expect(large.width == 512 && large.height == 512)
            var difference = 0.0
            for y in 0..<128 {
                for x in 0..<128 {
                    for channel in 0..<3 {
                        var sum = 0
                        for dy in 0..<4 {
                            for dx in 0..<4 {
                                sum += Int(large.pixels[((y * 4 + dy) * 512 + x * 4 + dx) * 3 + channel])
                            }
                        }
                        let here = Double(small.pixels[(y * 128 + x) * 3 + channel])
                        difference += abs(Double(sum) / 16 - here)
                    }
                }
            }
            #expect(difference / Double(128 * 128 * 3) < 0.6, "\(scene.id)")
        }
    }

    /// Every category fills enough of its square with its own colour to tell the colour by.
    @Test(arguments: Category.allCases)
    func theFillTellsTheColour(category: Category) {
        let paints: [Colour: (Int, Int, Int)] = [
            .red: (218, 42, 46), .yellow: (250, 206, 36), .green: (34, 152, 64), .blue: (36, 88, 212),
            .purple: (148, 54, 184), .white: (253, 253, 252), .black: (40, 40, 44),
        ]
        for (colour, paint) in paints {
            let object = SceneObject(
                category: category, colour: colour, size: .small, place: Place.all[4], x: 64, y: 64, scale: 26
            )
            let scene = Scene(id: "one", split: .dev, context: category.context, objects: [object])
            let image = scene.draw()
            var own = 0
            for y in 51..<77 {
                for x in 51..<77 {
                    let at = (y * 128 + x) * 3
                    let distance =
                        abs(Int(image.pixels[at]) - paint.0) + abs(Int(image.pixels[at + 1]) - paint.1)
                        + abs(Int(image.pixels[at + 2]) - paint.2)
                    if distance < 60 { own += 1 }
                }
            }
            #expect(own >= 60, "\(colour) \(category): \(own) of 676 pixels")
        }
    }

    @Test func anObjectPaintsWithinItsCell() {
        for category in Category.allCases {
            let object = SceneObject(
                category: category, colour: .red, size: .large, place: Place.all[4], x: 64, y: 64, scale: 39)
            let bare = Scene(id: "one", split: .dev, context: .park, objects: [])
            let drawn = Scene(id: "one", split: .dev, context: .park, objects: [object])
            let (before, after) = (bare.draw(), drawn.draw())
            for y in 0..<128 {
                for x in 0..<128 where abs(Double(x) - 63.5) > 22 || abs(Double(y) - 63.5) > 22 {
                    let at = (y * 128 + x) * 3
                    #expect(before.pixels[at..<at + 3] == after.pixels[at..<at + 3], "\(category) \(x) \(y)")
                }
            }
            #expect(before != after)
        }
    }
}
