import ModelOptions
import Records
import Testing

/// Whose picture a control's rewards look at.
struct OtherPictureTests {
    private func entry(_ id: String, _ context: String?, image: String? = nil) throws -> OtherPictures.Entry {
        let scene = context.map { #","scene":{"context":"\#($0)"}"# } ?? ""
        let line = #"{"id":"\#(id)","image":"\#(image ?? id + ".png")","prompt":"?"\#(scene)}"#
        return try OtherPictures.Entry(Record(parsing: Array(line.utf8)[...]))
    }

    private func entries(_ count: Int) throws -> [OtherPictures.Entry] {
        try (0..<count).map { try entry("s\($0)", ["park", "beach", nil][$0 % 3]) }
    }

    private func draws(_ entries: [OtherPictures.Entry], seed: UInt64 = 0) throws -> [String: String] {
        let others = OtherPictures(entries, seed: seed)
        return Dictionary(
            uniqueKeysWithValues: try entries.map { ($0.prompt.id, try others.other(than: $0).id) })
    }

    @Test func theOtherIsOfTheSameContextAndNeverTheSame() throws {
        let all = try entries(30)
        let contexts = Dictionary(uniqueKeysWithValues: all.map { ($0.prompt.id, $0.context) })
        let drawn = try draws(all)
        for (id, other) in drawn { #expect(id != other && contexts[id] == contexts[other]) }
        // Ten of each context, each of them drawn from nine: not all draw the same few.
        #expect(Set(drawn.values).count > 12)
    }

    @Test func theDrawIsOfSeedIdAndTheSetAlone() throws {
        let all = try entries(30)
        let drawn = try draws(all)
        #expect(try draws(all.reversed()) == drawn)
        #expect(try draws(all, seed: 1) != drawn)
        // Another context's records change nothing.
        let parks = all.filter { $0.context == "park" }
        #expect(try draws(parks) == drawn.filter { id, _ in parks.contains { $0.prompt.id == id } })
    }

    /// Several questions about one picture, or several pairs: not another picture.
    @Test func anotherRecordOfTheSamePictureIsNoOther() throws {
        let all =
            try (0..<8).map { try entry("a#\($0)", "park", image: "a.png") } + [entry("b", "park")]
        let drawn = try draws(all)
        #expect(drawn.filter { $0.value == "b" }.count == 8)
        #expect(drawn["b"]?.hasPrefix("a#") == true)
    }

    @Test func whereThereIsNoneTheRecordIsNamed() throws {
        let lone = try entry("s7", "kitchen")
        let others = OtherPictures(
            try entries(9) + [lone, entry("twin", "kitchen", image: "./s7.png")], seed: 0)
        let error = #expect(throws: NoOtherPicture.self) { try others.other(than: lone) }
        #expect(error?.description.contains(#"of the context "kitchen" for "s7""#) == true)
    }

    @Test func aSceneThatIsNotOfThePictureWorldIsNone() throws {
        let line = #"{"id":"a","image":"a.png","prompt":"?","scene":"a busy street"}"#
        #expect(try OtherPictures.Entry(Record(parsing: Array(line.utf8)[...])).context == nil)
    }
}
