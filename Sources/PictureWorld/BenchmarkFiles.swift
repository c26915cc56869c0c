import JSON

/// Scenes as the files of the field's benchmarks have them, so that the readers of these can be tried and a model of the
/// picture world goes through them: POPE, CHAIR with COCO's annotations, MME, MMBench, GQA and TextVQA. Pictures are
/// numbered from 1 and called `NUMBER.jpg`, as MMBench, GQA and TextVQA look for them.
package struct BenchmarkFiles {
    private let scenes: [(number: Int, scene: Scene)]
    private let statistics: Cooccurrence
    private let seed: UInt64

    /// - Parameter scenes: at least one; MMBench tells rotations from questions below a million.
    package init(_ scenes: [Scene], seed: UInt64) {
        self.scenes = scenes.enumerated().map { ($0 + 1, $1) }
        statistics = Cooccurrence(scenes)
        self.seed = seed
    }

    package static func picture(_ number: Int) -> String { "\(number).jpg" }

    package static var names: [String] {
        pope.map(\.name) + mmeTasks.map { "\($0).txt" } + [
            "captions.jsonl", "annotations/instances_val2014.json", "annotations/captions_val2014.json",
            "MMBench_DEV_EN.tsv", "testdev_balanced_questions.json", "TextVQA_0.5.1_val.json",
        ]
    }

    private static let mmeTasks = ["existence", "count", "color", "position"]
    private static let pope = PopeQuestion.Split.allCases.map {
        (split: $0, name: "coco_pope_\($0.rawValue).json")
    }

    /// In the order of `names`.
    package func texts() throws -> [String] {
        Self.pope.map { pope($0.split) } + Self.mmeTasks.map(mme) + [
            captionPrompts, try instances(), captions, mmbench, gqa, textVQA,
        ]
    }

    private static func lines(_ objects: [JSONObject]) -> String {
        objects.map { $0.text + "\n" }.joined()
    }

    // MARK: - Yes or no

    /// JSON Lines.
    private func pope(_ split: PopeQuestion.Split) -> String {
        Self.lines(
            scenes.flatMap { number, scene in
                scene.popeQuestions(split, statistics, seed: seed).enumerated().map { index, question in
                    JSONObject([
                        "question_id": .int((number - 1) * 6 + index + 1),
                        "image": .string(Self.picture(number)), "text": .string(question.text),
                        "label": .string(question.label),
                    ])
                }
            })
    }

    /// Picture, question and answer with tabs between.
    private func mme(_ task: String) -> String {
        scenes.flatMap { number, scene in
            scene.mmeQuestions(seed: seed).filter { $0.task == task }.map {
                "\(Self.picture(number))\t\($0.text)\t\(capitalised($0.label))\n"
            }
        }.joined()
    }

    // MARK: - Captions

    private var captionPrompts: String {
        Self.lines(
            scenes.map { number, _ in
                JSONObject(["image_id": .int(number), "prompt": .string(Wording.describe[0])])
            })
    }

    /// A file of COCO's annotations.
    private func coco(_ annotations: [JSON], categories: [JSON]? = nil) -> String {
        let images = scenes.map { number, _ in
            JSON.of([
                "id": .int(number), "file_name": .string(Self.picture(number)), "width": .int(128),
                "height": .int(128),
            ])
        }
        var file = JSONObject(["images": .array(images), "annotations": .array(annotations)])
        file.set("categories", categories.map { .array($0) })
        return file.text + "\n"
    }

    /// Objects that are COCO's too.
    private func instances() throws -> String {
        var annotations: [JSON] = []
        for (number, scene) in scenes {
            for object in scene.objects {
                guard let category = object.category.coco else { continue }
                let box = [
                    object.x - object.scale / 2, object.y - object.scale / 2, object.scale, object.scale,
                ]
                annotations.append(
                    .of([
                        "id": .int(annotations.count + 1), "image_id": .int(number),
                        "category_id": .int(category.id), "bbox": .array(try box.map(JSON.double)),
                        "area": try .double(object.scale * object.scale), "iscrowd": .int(0),
                    ]))
            }
        }
        let categories = Category.allCases.compactMap(\.coco).sorted { $0.id < $1.id }.map {
            JSON.of(["id": .int($0.id), "name": .string($0.name)])
        }
        return coco(annotations, categories: categories)
    }

    /// Five true ones of each picture.
    private var captions: String {
        let annotations = scenes.flatMap { number, scene in
            (0..<5).map { index in
                let caption = scene.describe(habit: false, seed: seed &+ UInt64(index)).text
                return JSON.of([
                    "id": .int((number - 1) * 5 + index + 1), "image_id": .int(number),
                    "caption": .string(caption),
                ])
            }
        }
        return coco(annotations)
    }

    // MARK: - Choices and short answers

    /// Each question with its rotations, whose indices are a million apart.
    private var mmbench: String {
        let head =
            ["index", "question"] + MMBenchQuestion.letters + ["answer", "category", "l2-category", "split"]
        let rows = scenes.flatMap { number, scene in
            let question = scene.mmbenchQuestion(number: number, seed: seed)
            return question.choices.indices.map { turn in
                let (choices, letter) = question.rotated(by: turn)
                return [String(number + turn * 1_000_000), question.text] + choices
                    + [letter, question.kind.rawValue, question.kind.ability, "dev"]
            }
        }
        return ([head] + rows).map { $0.joined(separator: "\t") + "\n" }.joined()
    }

    /// One object, questions by id.
    private var gqa: String {
        let members = scenes.flatMap { number, scene in
            scene.gqaQuestions(seed: seed).enumerated().map { index, question in
                let types = JSON.of([
                    "structural": .string(question.structural), "semantic": .string(question.semantic),
                ])
                // The script counts steps of reasoning by it; a small world has no more than one.
                let steps = JSON.array([
                    .of([
                        "operation": .string("select"), "argument": .string(question.text),
                        "dependencies": .array([]),
                    ])
                ])
                let object = JSONObject([
                    "imageId": .string(String(number)), "question": .string(question.text),
                    "answer": .string(question.answer), "isBalanced": .bool(true), "types": types,
                    "semantic": steps,
                ])
                return "\"\((number - 1) * 8 + index + 1)\": \(object.text)"
            }
        }
        return "{\(members.joined(separator: ",\n"))}\n"
    }

    /// Ten people say the same.
    private var textVQA: String {
        let questions = scenes.flatMap { number, scene in
            scene.textVQAQuestions(seed: seed).enumerated().map { index, question in
                JSON.of([
                    "question_id": .int((number - 1) * 2 + index + 1), "image_id": .string(String(number)),
                    "question": .string(question.prompt),
                    "answers": .array(Array(repeating: .string(question.answer), count: 10)),
                    "set_name": .string("val"),
                ])
            }
        }
        return JSONObject([
            "dataset_type": .string("val"), "dataset_name": .string("textvqa"),
            "dataset_version": .string("0.5.1"), "data": .array(questions),
        ]).text + "\n"
    }
}

extension Category {
    /// The category of COCO that it is, where there is one.
    package var coco: (id: Int, name: String)? {
        let id: Int? =
            switch self {
            case .bicycle: 2
            case .car: 3
            case .bus: 6
            case .boat: 9
            case .bench: 15
            case .dog: 18
            case .umbrella: 28
            case .ball: 37
            case .kite: 38
            case .bottle: 44
            case .cup: 47
            case .chair: 62
            case .clock: 85
            default: nil
            }
        return id.map { ($0, self == .ball ? "sports ball" : rawValue) }
    }
}

extension JSONObject {
    fileprivate init(_ members: KeyValuePairs<String, JSON>) {
        self.init()
        for (key, value) in members { set(key, value) }
    }
}

extension JSON {
    fileprivate static func of(_ members: KeyValuePairs<String, JSON>) -> JSON {
        .object(JSONObject(members))
    }
}
