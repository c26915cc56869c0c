import Tables

extension ScoreSheet {
    /// What an evaluation found, as text for people.
    ///
    /// - Throws: what counting throws.
    package func report() throws -> String {
        func remarks<E: Exam>(_ exam: E) -> [[String]] { exam.remarks(self[exam]) }
        func tables<E: Exam>(_ exam: E) throws -> [TextTable] { try exam.tables(self[exam]) }
        let rows = try figures().map { figure, value in
            [figure.title, fixed(figure.scale * value, figure.decimals)]
        }
        let handedIn = submissions.map { ["to hand in", $0.name] }
        let all = TextTable([["", "score"]] + rows + exams.exams.flatMap { remarks($0) } + handedIn)
        return try ([all] + exams.exams.flatMap { try tables($0) }).map(\.plainText).joined(separator: "\n")
    }
}
