import Random
import Testing

/// Numbers that earlier versions drew: pictures, samples and orders of training hang on them.
@Suite struct SplitMix64Tests {
    @Test func theReferencesNumbers() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func keysAndPurposesGiveStreamsOfTheirOwn() {
        var keyed = SplitMix64(seed: 7, key: "k\u{FC}che", index: 2)
        #expect([keyed.next(), keyed.next()] == [14_491_631_052_357_838_524, 5_598_728_342_618_499_176])
        var world = SplitMix64(seed: 7, purpose: "caption 3", index: 1)
        #expect([world.next(), world.next()] == [10_009_673_502_956_695_995, 16_057_852_246_799_452_413])
    }

    @Test func drawsFollowTheBits() {
        var random = SplitMix64(seed: 1, purpose: "draws")
        #expect(random.nextUniform() == 0.6597712950291452)
        #expect((0..<4).map { _ in random.below(10) } == [6, 2, 4, 0])
        #expect(random.shuffled([0, 1, 2, 3, 4, 5]) == [1, 2, 0, 4, 3, 5])
        #expect(random.pick([Int]()) == nil)
    }
}
