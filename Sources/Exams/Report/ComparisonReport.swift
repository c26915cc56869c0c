/// Everything that one page shows of models scored side by side.
package struct ComparisonReport: Sendable {
    /// What was found of a benchmark.
    package struct Benchmark: Sendable {
        package var title: String
        /// One for each unit of its figures.
        package var plots: [ForestPlot]
        /// By category.
        package var tables: [ReportTable]

        package init(title: String, plots: [ForestPlot], tables: [ReportTable]) {
            (self.title, self.plots, self.tables) = (title, plots, tables)
        }
    }

    /// An answer that was not read plainly, word for word.
    package struct Doubt: Sendable {
        package var run: String
        package var exam: String
        package var image: String
        package var answer: String
        /// What it was taken for.
        package var taken: String

        package init(run: String, exam: String, image: String, answer: String, taken: String) {
            (self.run, self.exam, self.image) = (run, exam, image)
            (self.answer, self.taken) = (answer, taken)
        }
    }

    /// Pictures of the test that the training had too.
    package struct Overlap: Sendable {
        package struct Group: Sendable {
            /// What they share.
            package var title: String
            package var pictures: [String]

            package init(title: String, pictures: [String]) {
                (self.title, self.pictures) = (title, pictures)
            }
        }

        package var summary: String
        package var groups: [Group]

        package init(summary: String, groups: [Group]) { (self.summary, self.groups) = (summary, groups) }
    }

    package var title: String
    package var facts: [(name: String, value: String)]
    /// Sentences on what stands out.
    package var findings: [String]
    /// What the plots show, and how their intervals come about.
    package var legend: String
    package var benchmarks: [Benchmark]
    package var readings: ReportTable?
    package var tests: ReportTable?
    /// Of captions, inventions beside recall and length: one plot for each figure.
    package var lengths: [(title: String, plot: ForestPlot)]
    package var health: ReportTable?
    package var doubts: [Doubt]
    /// nil where no training files were given.
    package var overlap: Overlap?

    package init(
        title: String, facts: [(name: String, value: String)] = [], findings: [String] = [],
        legend: String = "", benchmarks: [Benchmark] = [], readings: ReportTable? = nil,
        tests: ReportTable? = nil, lengths: [(title: String, plot: ForestPlot)] = [],
        health: ReportTable? = nil, doubts: [Doubt] = [], overlap: Overlap? = nil
    ) {
        (self.title, self.facts, self.findings, self.legend) = (title, facts, findings, legend)
        (self.benchmarks, self.readings, self.tests) = (benchmarks, readings, tests)
        (self.lengths, self.health, self.doubts, self.overlap) = (lengths, health, doubts, overlap)
    }
}
