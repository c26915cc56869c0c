extension Scene {
    /// What a patch can be told to show: nothing or a category, and of an object its color and its size.
    package static let patchGroups = [
        1 + Category.allCases.count, Colour.allCases.count, Size.allCases.count,
    ]

    /// What stands in each patch of a `grid` × `grid` picture, row by row: an index in each of `patchGroups`, −1
    /// where it isn't to be told. A patch shows the nearest object whose square its middle is well inside, and
    /// nothing where it is well outside all of them.
    package func patchLabels(grid: Int) -> [[Int]] {
        let side = 128 / Double(grid)
        return (0..<grid * grid).map { patch in
            let x = (Double(patch % grid) + 0.5) * side
            let y = (Double(patch / grid) + 0.5) * side
            func distance(_ object: SceneObject) -> Double {
                max(abs(object.x - x), abs(object.y - y)) / object.scale
            }
            // What is painted last covers what is below it.
            if let object = objects.last(where: { distance($0) < 0.4 }) {
                return [
                    1 + index(object.category), index(object.colour), index(object.size),
                ]
            }
            return [objects.contains { distance($0) < 0.6 } ? -1 : 0, -1, -1]
        }
    }

    private func index<Kind: CaseIterable & Equatable>(_ kind: Kind) -> Int {
        Array(Kind.allCases).firstIndex(of: kind) ?? -1
    }
}
