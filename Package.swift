// swift-tools-version: 6.1
import PackageDescription

// A folder of Sources is a layer, a folder in it a target. Dependencies point one way:
//
//     Base ← Engine ← Alignment ← Exams, Stages ← Programs
//
// Base knows nothing of models, Engine nothing of methods. Beside Alignment stands PictureWorld, which draws and judges
// scenes; Exams and programs look at it. Stages makes programs of libraries: options, streams, resume, the ledger.

func library(_ path: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: path.split(separator: "/").last.map(String.init)!, dependencies: dependencies,
        path: "Sources/\(path)", swiftSettings: [.swiftLanguageMode(.v6)])
}

/// - Parameter module: where the program's name is none for a module.
func program(_ name: String, _ dependencies: [Target.Dependency] = [], module: String? = nil) -> Target {
    .executableTarget(
        name: module ?? name,
        dependencies: ["StageKit", "Files", "JSON", "Random", "Records", "Tables", arguments] + dependencies,
        path: "Sources/Programs/\(name)", swiftSettings: [.swiftLanguageMode(.v6)])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: [.swiftLanguageMode(.v6)])
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

let package = Package(
    name: "Sightline",
    products: [
        .executable(name: "import", targets: ["importer"]),
        .executable(name: "model", targets: ["modelmaker"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        // renameat2 and O_TMPFILE, which glibc shows to C alone
        .target(name: "CFiles", path: "Sources/Base/CFiles"),
        library("Base/Files", ["CFiles"]),
        library("Base/JSON"),
        library("Base/Random"),
        library("Base/Records", ["JSON"]),
        library("Base/Tables"),

        .systemLibrary(
            name: "COpenBLAS", path: "Sources/Engine/COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        // libjpeg62-turbo-dev, libpng-dev, libwebp-dev and libgif-dev: C, because errors come by longjmp
        .target(
            name: "CImageIO", path: "Sources/Engine/CImageIO",
            linkerSettings: ["jpeg", "png", "webp", "webpdemux", "gif"].map { .linkedLibrary($0) }),
        .target(
            name: "CKernels", path: "Sources/Engine/CKernels",
            cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-mprefer-vector-width=512"])]),
        library("Engine/Kernels", ["CKernels", "COpenBLAS"]),
        library("Engine/Checkpoint", ["Files", "JSON", "Kernels", crypto]),
        library("Engine/Tokenizer", ["Files", "JSON", crypto]),
        library("Engine/Imaging", ["Files", "JSON", "Random", "CImageIO"]),
        library("Engine/Model", ["Random", "Kernels", "Checkpoint", "Imaging", "Tokenizer"]),
        library("Engine/Decoding", ["Random", "Imaging", "Model"]),
        library("Engine/Training", ["Files", "JSON", "Random", "Imaging", "Model"]),

        library("PictureWorld", ["JSON", "Random", "Records", "Imaging"]),

        library("Alignment/Rewards", ["JSON", "Records", "Tables"]),
        library("Alignment/Relevance", ["Records", "Model", "Rewards"]),
        library(
            "Alignment/RewardModels",
            ["Files", "JSON", "Random", "Records", "Imaging", "Training", "Rewards"]),
        library("Alignment/Pairing", ["Records", "Rewards"]),

        // tables of English, linked in by .incbin, so that an installed program needs no file
        .target(
            name: "CEnglish", path: "Sources/Exams/CEnglish",
            exclude: ["perceptron.bin", "punkt.txt", "lemmas.txt", "synonyms.txt", "SOURCES.md"],
            cSettings: [.headerSearchPath(".")]),
        library("Exams/English", ["CEnglish"]),
        library("Exams/Metrics", ["Random"]),
        library(
            "Exams/Exams",
            [
                "Files", "JSON", "Records", "Tables", "Imaging", "PictureWorld", "Pairing", "English",
                "Metrics", crypto,
            ]),
        library("Exams/Report", ["JSON", "Records"]),

        library("Stages/RunLedger", ["JSON", grdb]),
        library("Stages/StageKit", ["Files", "JSON", "Records", "RunLedger", arguments, crypto, toml]),
        library("Stages/ModelOptions", ["Decoding", "Files", "Random", "Relevance", "StageKit"]),
        library("Stages/TrainingKit", ["Training", "ModelOptions"]),
        library("Stages/PairFormats", ["JSON", "Records"]),

        program("sample", ["Decoding", "Relevance", "ModelOptions"]),
        program("self-critic", ["Decoding", "Imaging", "Pairing", "ModelOptions"]),
        program("calibrate", ["Imaging", "Relevance", "RewardModels", "ModelOptions"]),
        program("pair", ["Checkpoint", "Tokenizer", "PictureWorld", "Pairing"]),
        program("dpo-train", ["TrainingKit"]),
        program("sft-train", ["TrainingKit"]),
        program("reward-train", ["RewardModels", "TrainingKit"]),
        program("clip-train", ["PictureWorld", "TrainingKit"]),
        program("eval", ["Decoding", "Exams", "Report", "ModelOptions"]),
        program("report", ["Exams", "Report"]),
        program("merge", ["Imaging", "ModelOptions"]),
        program("import", ["PairFormats"], module: "importer"),
        program("export", ["PairFormats"]),
        program("scenes", ["PictureWorld"]),
        program("model", ["ModelOptions"], module: "modelmaker"),
        program("ledger", ["RunLedger"]),
        program("sightline"),
        program("bench", ["Decoding", "Training", "PictureWorld"]),

        .target(
            name: "OracleFixtures", dependencies: ["Model", "Checkpoint", "Imaging", "Kernels", "Random"],
            path: "Tests/OracleFixtures",
            swiftSettings: [.swiftLanguageMode(.v6)]),
        tests(
            "ModelTests",
            ["Model", "Checkpoint", "Imaging", "Kernels", "Random", "Tokenizer", "OracleFixtures"]),
        tests("TrainingTests", ["Training", "Model", "Checkpoint", "Imaging", "Kernels", "OracleFixtures"]),
        tests("KernelsTests", ["Kernels", "CKernels", "Random"]),
        tests(
            "DecodingTests",
            ["Decoding", "Model", "Checkpoint", "Imaging", "Kernels", "Random", "OracleFixtures"]),

        tests("TokenizerTests", ["Tokenizer"]),
        tests("CheckpointTests", ["Checkpoint", "Files"]),
        tests("ImagingTests", ["Imaging", "Files"]),
        tests("PictureWorldTests", ["PictureWorld", "Imaging", "Random", "Records"]),
        tests("JSONTests", ["JSON", "Records"]),
        tests("RandomTests", ["Random"]),
        tests("RecordsTests", ["Records", "JSON"]),
        .executableTarget(
            name: "stage-probe", dependencies: ["StageKit", "Records", "RunLedger", arguments],
            path: "Tests/stage-probe", swiftSettings: [.swiftLanguageMode(.v6)]),
        tests("StageKitTests", ["StageKit", "Files", "Records", "RunLedger", "stage-probe", "ledger", grdb]),
        tests("TablesTests", ["Tables"]),
        tests("MetricsTests", ["Metrics"]),
        tests(
            "ExamsTests", ["Exams", "English", "Metrics", "PictureWorld", "Rewards", "Pairing", "Records"]),
        tests("ModelOptionsTests", ["ModelOptions", "Imaging", "StageKit", "Records"]),
        tests("RewardModelsTests", ["RewardModels", "Rewards", "Model", "Records", "OracleFixtures"]),
        tests("RewardsTests", ["Rewards", "Pairing", "Records"]),
        tests("PairingTests", ["Pairing", "Rewards", "PictureWorld", "Records", "OracleFixtures"]),
        tests("RelevanceTests", ["Relevance", "Imaging", "Rewards", "Records", "Kernels", "OracleFixtures"]),
        tests("StageTests", []),
        tests("ReportTests", ["Report", "Records"]),
        tests("PairFormatsTests", ["PairFormats", "Records"]),
    ]
)
