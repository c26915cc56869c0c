import Foundation
import Testing

/// Recipes that change others, and their knobs.
struct RecipeBaseTests {
    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.write(
            """
            # The one below.
            [pair]
            min-margin = 0.1      # of score
            floor = ["a=1", "b=2"]
            [dpo-train]
            learning-rate = 3e-4
            schedule = "cosine"
            """, to: "below.toml")
        try shop.write(
            """
            base = "below.toml"
            [pair]
            floor = []
            keep-fraction = 1
            [eval]
            caption-tokens = 9
            """, to: "above.toml")
        return shop
    }

    @Test func aRecipeIsItsBaseWithItsOwnKeys() throws {
        let shop = try workshop()
        #expect(
            try shop.succeed("sightline recipe above.toml").output == """
                [dpo-train]
                learning-rate = 0.0003
                schedule = "cosine"

                [eval]
                caption-tokens = 9

                [pair]
                keep-fraction = 1
                min-margin = 0.1

                """)
        // What is printed is what a program reads of the two.
        try shop.succeed(
            "mkdir sub; sightline recipe above.toml >sub/whole.toml; printf 'base = \"../above.toml\"\n' >sub/top.toml"
        )
        for stage in ["pair", "dpo-train --model m -o o", "eval --model m --captions c -o o"] {
            let asked = "sightline \(stage) --print-config --config"
            let whole = try shop.succeed("\(asked) sub/whole.toml").output
            #expect(try shop.succeed("\(asked) above.toml").output == whole)
            #expect(try shop.succeed("\(asked) sub/top.toml").output == whole)
        }
        #expect(try shop.succeed("sightline recipe below.toml | cmp - below.toml").output.isEmpty)
    }

    /// The recipes of the ablation must differ in nothing but λ, and what of pairs is in the units that it scales, or
    /// their table says nothing.
    @Test(arguments: [("likelihood", "0.0"), ("relevance", "1.0"), ("lambda-0.5", "0.5")])
    func recipesDifferInLambdaAlone(name: String, lambda: String) throws {
        let shop = try Workshop()
        func lines(_ name: String, _ lambda: String) throws -> [Substring] {
            let path = "\(Workshop.fixtures)/../../pipelines/recipes/\(name).toml"
            return try shop.succeed("sightline recipe \(path) --set lambda=\(lambda)").output.split(
                separator: "\n"
            )
            .filter { line in
                !["floor = ", "min-margin = ", "keep-fraction = "].contains(where: line.hasPrefix)
            }
        }
        let own = try shop.succeed(
            "sightline recipe \(Workshop.fixtures)/../../pipelines/recipes/\(name).toml"
        ).output
        #expect(own.contains("\nlambda = \(lambda)\n"))
        #expect(try lines(name, lambda) == lines("default", lambda))
    }

    @Test func knobsAreTurnedByName() throws {
        let shop = try workshop()
        let turned = try shop.succeed(
            "sightline recipe above.toml --set min-margin=2 --set sample.seed=7 --set 'pair.score=\"reward\"'"
        ).output
        #expect(turned.contains("min-margin = 2\nscore = \"reward\"\n"), "\(turned)")
        #expect(turned.hasSuffix("[sample]\nseed = 7\n"), "\(turned)")
    }

    @Test(arguments: [
        ("base = \"nil.toml\"", "", "nil.toml: can't open the file"),
        ("base = 3", "", "base is not a file name"),
        ("base = \"x.toml\"", "", "is itself based on this file; choose another"),
        ("[pair]\nseed = 1", "--set sed=1", "--set sed=1: no table of x.toml has sed"),
        ("[pair]\nseed = 1", "--set seed", "--set seed: write table.key=value"),
        ("[pair]\nseed = 1", "--set a.b.c=1", "--set a.b.c=1: write table.key=value"),
        ("[pair]\nseed = 1", "--set .seed=1", "--set .seed=1: write table.key=value"),
        ("[pair]\nseed = 1", "--set parr.seed=1", "no program has a table [parr]"),
        ("[pair]\nseed = 1", "--set $'seed=1\\n[eval]\\nx=2'", "write table.key=value"),
        ("base = \"y.toml\"\npair = 3", "", "key \"pair\" is outside any table"),
        ("[pair]\nday = 1979-05-27", "--set pair.seed=1", "[pair] day: date; a recipe holds"),
    ])
    func whatIsNoRecipeIsNamed(text: String, options: String, says: String) throws {
        let shop = try Workshop()
        try shop.write(text + "\n", to: "x.toml")
        let ended = try shop.run("sightline recipe x.toml \(options)")
        #expect(ended.code != 0 && ended.errors.contains(says) && ended.output.isEmpty, "\(ended.errors)")
    }
}
