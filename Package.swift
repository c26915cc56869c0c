// swift-tools-version: 6.1
import PackageDescription

/// One library target per concern, one executable target per stage; arrows point one way:
/// Kernels ← Model ← {Decoding, Preference} ← Training, Records ← StageKit, programs on top.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: [.swiftLanguageMode(.v6)])
}

func program(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name, dependencies: ["StageKit", "Records", "Files"] + dependencies,
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

        library("Files", ["CFiles"]),
        library("Tables"),
        library("Kernels", ["CKernels", "COpenBLAS"]),
        library("Checkpoint", ["Files", "CKernels", crypto]),
        library("Tokenizer", ["Files", crypto]),
        library("Imaging", ["Files", "CImageIO"]),
        library("Model", ["Kernels", "Checkpoint", "Imaging", "Tokenizer"]),
        library("Decoding", ["Model"]),
        library("Preference", ["Records", "Tables"]),
        library("Training", ["Files", "Model"]),
        library("Relevance", ["Preference", "Model", "Records"]),
        library("Reward", ["Files", "Training", "Preference", "Model", "Checkpoint", "Kernels", "Records"]),
        library("Metrics"),
        library("Exams", ["Metrics", "PictureWorld", "Preference", "Records", "Files", "Tables"]),
        library("PictureWorld", ["Imaging", "Records"]),
        library("Records"),
        library("RunLedger", [grdb]),
        library("StageKit", ["Files", "Records", "RunLedger", arguments, crypto, toml]),
        library(
            "ModelOptions",
            ["StageKit", "Relevance", "Model", "Imaging", "Kernels", "Checkpoint", "Records", arguments]),
        library("Report", ["Records"]),
        library("Interchange", ["Records"]),

        program(
            "calibrate", ["Relevance", "Reward", "Preference", "ModelOptions", "Model", "Kernels", arguments]),
        program(
            "reward-train",
            [
                "Reward", "Training", "Preference", "RunLedger", "ModelOptions", "Model", "Imaging",
                "Checkpoint", "Kernels", arguments,
            ]),
        program("pair", ["Preference", "PictureWorld", "RunLedger", "Tokenizer", arguments]),
        program(
            "self-critic",
            ["Decoding", "Preference", "RunLedger", "ModelOptions", "Model", "Kernels", arguments]),
        program("ledger", ["RunLedger", "Tables", arguments]),
        program(
            "clip-train",
            ["Training", "ModelOptions", "Model", "PictureWorld", "Imaging", "Tokenizer", arguments]),
        program(
            "dpo-train", ["Training", "ModelOptions", "Model", "Imaging", "Checkpoint", "Kernels", arguments]),
        program(
            "sample",
            [
                "Decoding", "Model", "ModelOptions", "Imaging", "Preference", "Relevance", "Kernels",
                arguments,
            ]),
        program("sft-train", ["Training", "ModelOptions", "Model", "Imaging", "Tokenizer", arguments]),
        program(
            "eval",
            [
                "Report", "Exams", "Metrics", "Preference", "Decoding", "Model", "ModelOptions",
                "Kernels", "Tables",
                arguments,
            ]),
        program("sightline", [arguments]),
        program("export", ["Interchange", arguments]),
        // "import" is no name for a module.
        .executableTarget(
            name: "importer", dependencies: ["StageKit", "Records", "Interchange", arguments],
            path: "Sources/import", swiftSettings: [.swiftLanguageMode(.v6)]),
        program("merge", ["Checkpoint", "Model", "ModelOptions", "Kernels", arguments]),
        program("report", ["Report", "Exams", "Tables", "Imaging", arguments]),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Training", "Decoding", "Model", "Checkpoint", "PictureWorld", "Imaging", "Tokenizer",
                "Records", "Files",
                "Tables", "Kernels", "COpenBLAS", arguments,
            ], swiftSettings: [.swiftLanguageMode(.v6)]),
        program("scenes", ["PictureWorld", "Imaging", arguments]),

        .target(
            name: "OracleFixtures", dependencies: ["Model", "Checkpoint", "Kernels"],
            path: "Tests/OracleFixtures",
            swiftSettings: [.swiftLanguageMode(.v6)]),
        tests("ModelTests", ["Model", "Checkpoint", "Kernels", "OracleFixtures"]),
        tests("TrainingTests", ["Training", "Model", "Checkpoint", "Kernels", "OracleFixtures"]),
        tests("KernelsTests", ["Kernels", "CKernels"]),
        tests("DecodingTests", ["Decoding", "Model", "Checkpoint", "Kernels", "OracleFixtures"]),

        tests("TokenizerTests", ["Tokenizer"]),
        tests("CheckpointTests", ["Checkpoint", "Files", "CKernels"]),
        tests("ImagingTests", ["Imaging", "Files"]),
        tests("PictureWorldTests", ["PictureWorld", "Imaging", "Records"]),
        tests("RecordsTests", ["Records"]),
        .executableTarget(
            name: "stage-probe", dependencies: ["StageKit", "Records", "RunLedger", arguments],
            path: "Tests/stage-probe", swiftSettings: [.swiftLanguageMode(.v6)]),
        tests("StageKitTests", ["StageKit", "Files", "Records", "RunLedger", "stage-probe", "ledger", grdb]),
        tests("TablesTests", ["Tables"]),
        tests("MetricsTests", ["Metrics"]),
        tests(
            "ExamsTests", ["Exams", "Metrics", "PictureWorld", "Preference", "Records"]),
        tests("ModelOptionsTests", ["ModelOptions", "Imaging", "StageKit", "Records"]),
        tests("RewardTests", ["Reward", "Preference", "Model", "Records", "OracleFixtures"]),
        tests("PreferenceTests", ["Preference", "PictureWorld", "Records", "OracleFixtures"]),
        tests("RelevanceTests", ["Relevance", "Preference", "Records", "Kernels", "OracleFixtures"]),
        tests("StageTests", []),
        tests("ReportTests", ["Report", "Records"]),
        tests("InterchangeTests", ["Interchange", "Records"]),
    ]
)
