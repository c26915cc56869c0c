import Foundation
import Records
import Testing

import PictureWorld

func sampleScenes(_ count: Int, _ split: Split = .train, seed: UInt64 = 11) -> [Scene] {
    (0..<count).map { Scene.generate(seed: seed, split: split, index: $0) }
}

@Suite struct SceneTests {
    @Test func aSceneDependsOnSeedSplitAndIndexAlone() {
        let backwards = (0..<50).reversed().map { Scene.generate(seed: 11, split: .train, index: $0) }
        #expect(backwards.reversed() == sampleScenes(50))
        #expect(Scene.generate(seed: 12, split: .train, index: 0).objects != sampleScenes(1)[0].objects)
    }

    /// Pinned: shipped models and reported figures belong to these very scenes.
    @Test func theFirstSceneIsKnown() throws {
        let scene = Scene.generate(seed: 0, split: .test, index: 0)
        #expect(try scene.json().text == Self.firstTestScene)
    }

    @Test func splitsNeverShareALayout() {
        let layouts = Split.allCases.map { split in Set(sampleScenes(4000, split).map(\.layoutHash)) }
        #expect(layouts[0].isDisjoint(with: layouts[1]))
        #expect(layouts[0].isDisjoint(with: layouts[2]))
        #expect(layouts[1].isDisjoint(with: layouts[2]))
        // Every scene of a split is found by the residue of its hash, so no number of scenes makes them meet.
        #expect(layouts[0].allSatisfy { $0 % 10 < 8 })
        #expect(layouts[1].allSatisfy { $0 % 10 == 8 })
        #expect(layouts[2].allSatisfy { $0 % 10 == 9 })
    }

    @Test func objectsStandApartInReadingOrder() {
        for scene in sampleScenes(2000) {
            #expect((3...5).contains(scene.objects.count))
            #expect(scene.categories.count >= 3)
            #expect(Category.allCases.count { scene.count(of: $0) > 1 } <= 1)
            let numbers = scene.objects.map { Place.all.firstIndex(of: $0.place) ?? -1 }
            #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
            for (index, a) in scene.objects.enumerated() {
                #expect(a.x - a.scale / 2 >= 0 && a.x + a.scale / 2 <= 128)
                #expect(a.y - a.scale / 2 >= 0 && a.y + a.scale / 2 <= 128)
                for b in scene.objects[(index + 1)...] {
                    let apart = max(abs(a.x - b.x), abs(a.y - b.y))
                    #expect(apart >= (a.scale + b.scale) / 2, "\(scene.id)")
                }
            }
        }
    }

    @Test func contextsKeepTheirCompany() {
        let scenes = sampleScenes(6000)
        let objects = scenes.flatMap { scene in scene.objects.map { (scene.context, $0.category) } }
        let own = Double(objects.count { $0.0 == $0.1.context }) / Double(objects.count)
        #expect((0.82...0.90).contains(own), "\(own)")
        let triggers = Set(Context.allCases.map(\.habit.trigger))
        #expect(objects.allSatisfy { $0.0 == $0.1.context || !triggers.contains($0.1) })
        for context in Context.allCases {
            let here = scenes.filter { $0.context == context }
            #expect((0.21...0.29).contains(Double(here.count) / 6000))
            let habit = context.habit
            let withTrigger = here.filter { $0.has(habit.trigger) }
            let without = here.filter { !$0.has(habit.trigger) }
            #expect(
                context.categories.contains(habit.trigger) && context.categories.contains(habit.companion))
            // Neither the trigger nor its absence tells whether the companion is there.
            #expect((0.15...0.30).contains(share(withTrigger) { $0.has(habit.companion) }))
            #expect((0.50...0.70).contains(share(without) { $0.has(habit.companion) }))
        }
        for colour in Colour.allCases {
            let worn = share(scenes.flatMap(\.objects)) { $0.colour == colour }
            #expect((0.12...0.17).contains(worn))
        }
    }

    @Test func scenesSurviveTheirRecords() throws {
        for scene in sampleScenes(20) {
            let line = try scene.promptRecord(seed: 3).bytes
            #expect(try Scene(record: Record(parsing: line[...])) == scene)
            #expect(try JSONDecoder().decode(Scene.self, from: JSONEncoder().encode(scene)) == scene)
        }
        #expect(throws: SceneError.self) { try Scene(record: Record(parsing: #"{"id":"a"}"#)) }
        #expect(throws: SceneError.self) {
            try Scene(record: Record(parsing: #"{"id":"a","scene":{"id":"a"}}"#))
        }
    }

    static let firstTestScene =
        #"{"id":"test-0-000000","split":"test","context":"park","objects":["#
        + #"{"category":"kite","color":"yellow","size":"small","row":"top","column":"left","#
        + #""x":22.0,"y":22.0,"scale":27.0},"#
        + #"{"category":"tree","color":"blue","size":"large","row":"top","column":"center","#
        + #""x":63.0,"y":20.5,"scale":38.5},"#
        + #"{"category":"bench","color":"green","size":"large","row":"middle","column":"center","#
        + #""x":62.5,"y":64.5,"scale":38.0}]}"#
}

func share<Element>(_ elements: [Element], _ condition: (Element) -> Bool) -> Double {
    Double(elements.count(where: condition)) / Double(elements.count)
}
