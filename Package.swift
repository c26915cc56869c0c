// swift-tools-version: 6.1
import PackageDescription

/// One library target per concern, one executable target per stage; arrows point one way:
/// JSON, Random, Files ← Kernels, Checkpoint, Tokenizer, Imaging ← Model ← Decoding, Training;
/// JSON ← Records ← Rewards ← Pairing; Records ← StageKit ← ModelOptions; programs on top.
func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], in folder: String? = nil
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: folder.map { "Sources/\($0)/\(name)" },
        swiftSettings: [.swiftLanguageMode(.v6)])
}

func program(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name, dependencies: ["StageKit", "Records", "JSON", "Random", "Files"] + dependencies,
        swiftSettings: [.swiftLanguageMode(.v6)])
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
    products: [.executable(name: "import", targets: ["importer"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", exact: "0.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        // renameat2 and O_TMPFILE, which glibc shows to C alone
        .target(name: "CFiles"),
        // libjpeg62-turbo-dev, libpng-dev, libwebp-dev and libgif-dev: C, because errors come by longjmp
        .target(
            name: "CImageIO",
            linkerSettings: ["jpeg", "png", "webp", "webpdemux", "gif"].map { .linkedLibrary($0) }),
        .target(
            name: "CKernels",
            cSettings: [.unsafeFlags(["-O3", "-fno-math-errno", "-mprefer-vector-width=512"])]),

        library("JSON", in: "Base"),
        library("Random", in: "Base"),
        library("Files", ["CFiles"]),
        library("Tables"),
        library("Kernels", ["CKernels", "COpenBLAS"]),
        library("Checkpoint", ["JSON", "Files", "Kernels", crypto]),
        library("Tokenizer", ["JSON", "Files", crypto]),
        library("Imaging", ["JSON", "Files", "CImageIO"]),
        library("Model", ["Random", "Kernels", "Checkpoint", "Imaging", "Tokenizer"]),
        library("Decoding", ["Random", "Model"]),
        library("Rewards", ["JSON", "Tables", "Records"], in: "Alignment"),
        library("Pairing", ["Rewards", "Records"], in: "Alignment"),
        library("Training", ["JSON", "Random", "Files", "Model"]),
        library("Relevance", ["Rewards", "Model", "Kernels", "Records"]),
        library(
            "Reward",
            [
                "JSON", "Random", "Files", "Training", "Rewards", "Model", "Checkpoint", "Kernels",
                "Records",
            ]),
        library("Metrics", ["JSON", "Random"]),
        library(
            "Exams", ["JSON", "Metrics", "PictureWorld", "Rewards", "Pairing", "Records", "Files", "Tables"]),
        library("PictureWorld", ["JSON", "Random", "Imaging", "Records"]),
        library("Records", ["JSON"]),
        library("RunLedger", ["JSON", grdb]),
        library("StageKit", ["JSON", "Files", "Records", "RunLedger", arguments, crypto, toml]),
        library(
            "ModelOptions",
            [
                "StageKit", "Files", "Relevance", "Model", "Imaging", "Kernels", "Checkpoint", "Records",
                "JSON", "Random",
                arguments,
            ]),
        library("TrainingKit", ["StageKit", "ModelOptions", "Training", "Model", "Checkpoint", arguments]),
        library("Report", ["JSON", "Records"]),
        library("PairFormats", ["JSON", "Records"]),

        program(
            "calibrate", ["Relevance", "Reward", "Rewards", "ModelOptions", "Model", "Kernels", arguments]),
        program(
            "reward-train",
            [
                "Reward", "TrainingKit", "Training", "Rewards", "RunLedger", "ModelOptions", "Model",
                "Imaging", "Checkpoint", "Kernels", arguments,
            ]),
        program("pair", ["Rewards", "Pairing", "PictureWorld", "RunLedger", "Tokenizer", arguments]),
        program(
            "self-critic",
            ["Decoding", "Pairing", "RunLedger", "ModelOptions", "Model", "Kernels", arguments]),
        program("ledger", ["RunLedger", "Tables", arguments]),
        program(
            "clip-train",
            [
                "TrainingKit", "Training", "ModelOptions", "Model", "PictureWorld", "Imaging", "Tokenizer",
                arguments,
            ]),
        program(
            "dpo-train",
            [
                "TrainingKit", "Training", "ModelOptions", "Model", "Imaging", "Checkpoint", "Kernels",
                arguments,
            ]),
        program(
            "sample",
            [
                "Decoding", "Model", "ModelOptions", "Imaging", "Rewards", "Relevance", "Kernels",
                arguments,
            ]),
        program(
            "sft-train",
            ["TrainingKit", "Training", "ModelOptions", "Model", "Imaging", "Tokenizer", arguments]),
        program(
            "eval",
            [
                "Report", "Exams", "Metrics", "Rewards", "Pairing", "Decoding", "Model", "ModelOptions",
                "Kernels", "Tables",
                arguments,
            ]),
        program("sightline", [arguments]),
        program("export", ["PairFormats", arguments]),
        // "import" is no name for a module.
        .executableTarget(
            name: "importer", dependencies: ["StageKit", "Records", "JSON", "PairFormats", arguments],
            path: "Sources/import", swiftSettings: [.swiftLanguageMode(.v6)]),
        program("merge", ["Checkpoint", "Model", "ModelOptions", "Kernels", arguments]),
        program("report", ["Report", "Exams", "Tables", "Imaging", arguments]),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Training", "Decoding", "Model", "Checkpoint", "PictureWorld", "Imaging", "Tokenizer",
                "Records", "JSON", "Random", "Files", "Tables", "Kernels", arguments,
            ], swiftSettings: [.swiftLanguageMode(.v6)]),
        program("scenes", ["PictureWorld", "Imaging", arguments]),

        .target(
            name: "OracleFixtures", dependencies: ["Model", "Checkpoint", "Kernels", "Random"],
            path: "Tests/OracleFixtures",
            swiftSettings: [.swiftLanguageMode(.v6)]),
        tests("ModelTests", ["Model", "Checkpoint", "Kernels", "Random", "OracleFixtures"]),
        tests("TrainingTests", ["Training", "Model", "Checkpoint", "Kernels", "OracleFixtures"]),
        tests("KernelsTests", ["Kernels", "CKernels", "Random"]),
        tests("DecodingTests", ["Decoding", "Model", "Checkpoint", "Kernels", "Random", "OracleFixtures"]),

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
            "ExamsTests", ["Exams", "Metrics", "PictureWorld", "Rewards", "Pairing", "Records"]),
        tests("ModelOptionsTests", ["ModelOptions", "Imaging", "StageKit", "Records"]),
        tests("RewardTests", ["Reward", "Rewards", "Model", "Records", "OracleFixtures"]),
        tests("RewardsTests", ["Rewards", "Pairing", "Records"]),
        tests("PairingTests", ["Pairing", "Rewards", "PictureWorld", "Records", "OracleFixtures"]),
        tests("RelevanceTests", ["Relevance", "Rewards", "Records", "Kernels", "OracleFixtures"]),
        tests("StageTests", []),
        tests("ReportTests", ["Report", "Records"]),
        tests("PairFormatsTests", ["PairFormats", "Records"]),
    ]
)
