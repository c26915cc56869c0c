import ArgumentParser
import Exams
import StageKit

/// An option for the files of each exam, as `ExamList` has them. What options there are isn't known when this is
/// compiled, so that the parser is shown them by a mirror of its own, where it looks for declared ones.
struct ExamOptions: ParsableArguments, CustomReflectable {
    private enum Files {
        case one(Option<String?>)
        case several(Option<[String]>)
    }

    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private static let exams = ExamList.all.exams.filter { $0.help != nil }
    private let options: [Files]

    init() {
        options = Self.exams.map { exam in
            let help = ArgumentHelp("\(exam.help ?? "")", valueName: "file")
            let name = NameSpecification.customLong(exam.name)
            return exam.takesSeveralFiles
                ? .several(Option(wrappedValue: [], name: name, parsing: .upToNextOption, help: help))
                : .one(Option(name: name, help: help))
        }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        options = try Self.exams.map { exam in
            let key = Key(stringValue: exam.name)
            return exam.takesSeveralFiles
                ? .several(try values.decode(Option<[String]>.self, forKey: key))
                : .one(try values.decode(Option<String?>.self, forKey: key))
        }
    }

    var customMirror: Mirror {
        Mirror(
            self,
            children: zip(Self.exams, options).map { exam, files -> (label: String?, value: Any) in
                switch files {
                case .one(let option): ("_\(exam.name)", option)
                case .several(let option): ("_\(exam.name)", option)
                }
            })
    }

    /// What was given of each exam, in their order.
    var files: [(exam: any Exam, path: String)] {
        zip(Self.exams, options).flatMap { exam, files in
            switch files {
            case .one(let option): (option.wrappedValue.map { [$0] } ?? []).map { (exam, $0) }
            case .several(let option): option.wrappedValue.map { (exam, $0) }
            }
        }
    }

    /// The options' names: `--captions, --pope or --mme`.
    static func names(where isMeant: (any Exam) -> Bool = { _ in true }) -> String {
        let names = exams.filter(isMeant).map { "--\($0.name)" }
        let start = names.dropLast().joined(separator: ", ")
        return start.isEmpty ? names.joined() : "\(start) or \(names.last ?? "")"
    }
}
