// swift-tools-version: 6.1
import PackageDescription

/// The targets from the bottom up. The pure ones (Bytes to RoomShard, without EventLoop) import the
/// standard library only; the tidy test holds them to it.
let package = Package(
  name: "rollcall",
  products: [
    .executable(name: "rollcall", targets: ["rollcall"]),
    .executable(name: "loadtest", targets: ["loadtest"]),
    .executable(name: "simulate", targets: ["Simulation"]),
    .executable(name: "recovery-bench", targets: ["RecoveryBench"]),
    .executable(name: "token-bench", targets: ["TokenBench"]),
    .executable(name: "conformance-client", targets: ["ConformanceClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .target(name: "CLinux"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .target(name: "WebClassroom", exclude: ["page"]),

    .target(name: "PlantedBugs"),
    .target(name: "Bytes"),
    .target(name: "JSON"),
    .target(name: "WebSocketCore"),
    .target(name: "WebSocketDeflate", dependencies: ["WebSocketCore", "CZlib"]),
    .target(name: "OpenSSLSupport", dependencies: ["COpenSSL"]),
    .target(name: "TLS", dependencies: ["COpenSSL", "OpenSSLSupport"]),
    .target(name: "HTTPCore"),
    .target(
      name: "Classroom",
      dependencies: [
        "PlantedBugs",
        .product(name: "OrderedCollections", package: "swift-collections"),
        .product(name: "HashTreeCollections", package: "swift-collections"),
      ]),
    .target(name: "SignalingProtocol", dependencies: ["Classroom", "JSON"]),
    .target(
      name: "RoomShard",
      dependencies: [
        "Classroom", "SignalingProtocol", "JSON", "PlantedBugs",
        .product(name: "DequeModule", package: "swift-collections"),
      ]),
    .target(name: "SignalingClient", dependencies: ["WebSocketCore", "JSON", "SignalingProtocol", "Classroom"]),
    .target(
      name: "Persistence", dependencies: ["Classroom", "JSON", "EventLoop", "CLinux", "PlantedBugs"],
      exclude: ["FORMAT.md"]),
    .target(name: "DataTools", dependencies: ["Persistence", "Classroom", "JSON"]),
    .target(name: "EventLoop", dependencies: ["CLinux"]),
    .target(name: "HTTPClient", dependencies: ["CCurl"]),
    .target(
      name: "Tokens",
      dependencies: ["COpenSSL", "OpenSSLSupport", "JSON", "Classroom", "SignalingProtocol", "EventLoop"]),
    .target(
      name: "SignalingServer",
      dependencies: [
        "Bytes", "JSON", "WebSocketCore", "WebSocketDeflate", "TLS", "HTTPCore", "Classroom", "SignalingProtocol",
        "RoomShard", "Persistence", "EventLoop", "WebClassroom", "COpenSSL", "OpenSSLSupport", "Tokens", "HTTPClient",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "Diagnosis",
      dependencies: ["SignalingServer", "Persistence", "EventLoop", "TLS", "CLinux", "COpenSSL"]),
    .executableTarget(
      name: "rollcall",
      dependencies: [
        "SignalingServer", "Classroom", "DataTools", "Diagnosis", "EventLoop", "JSON", "Persistence", "Tokens",
        "SignalingProtocol",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["example.toml"]),
    .executableTarget(
      name: "loadtest",
      dependencies: [
        "SignalingClient", "WebSocketCore", "WebSocketDeflate", "TLS", "Bytes", "EventLoop", "SignalingProtocol",
        "JSON",
        "Classroom", "CLinux", "COpenSSL",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      path: "loadtest"),

    .executableTarget(
      name: "Simulation",
      dependencies: [
        "WebSocketCore", "HTTPCore", "JSON", "Classroom", "SignalingProtocol", "SignalingClient", "RoomShard",
        "Persistence", "PlantedBugs",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Simulation"),
    .executableTarget(
      name: "RecoveryBench",
      dependencies: ["Persistence", "Classroom", "JSON", "SignalingProtocol", "SignalingServer"],
      path: "Tests/RecoveryBench"),
    .executableTarget(
      name: "TokenBench", dependencies: ["Tokens", "Classroom", "JSON"], path: "Tests/TokenBench"),
    .executableTarget(
      name: "ConformanceClient",
      dependencies: [
        "WebSocketCore", "WebSocketDeflate", "EventLoop",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/ConformanceClient"),

    .target(
      name: "FuzzTargets",
      dependencies: [
        "HTTPCore", "WebSocketCore", "WebSocketDeflate", "JSON", "SignalingProtocol", "SignalingServer", "Classroom",
        "Persistence", "COpenSSL", "Tokens",
      ],
      path: "Tests/Fuzz/Targets"),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"]),

    .testTarget(name: "BytesTests", dependencies: ["Bytes"]),
    .testTarget(name: "JSONTests", dependencies: ["JSON"]),
    .testTarget(name: "WebSocketCoreTests", dependencies: ["WebSocketCore"]),
    .testTarget(name: "WebSocketDeflateTests", dependencies: ["WebSocketDeflate", "WebSocketCore"]),
    .testTarget(name: "TLSTests", dependencies: ["TLS"]),
    .testTarget(name: "HTTPCoreTests", dependencies: ["HTTPCore"]),
    .testTarget(name: "ClassroomTests", dependencies: ["Classroom"]),
    .testTarget(name: "SignalingProtocolTests", dependencies: ["SignalingProtocol", "JSON"]),
    .testTarget(name: "RoomShardTests", dependencies: ["RoomShard", "Classroom", "SignalingProtocol", "JSON"]),
    .testTarget(
      name: "SignalingClientTests",
      dependencies: ["SignalingClient", "RoomShard", "WebSocketCore", "JSON", "SignalingProtocol", "Classroom"]),
    .testTarget(
      name: "PersistenceTests", dependencies: ["Persistence", "Classroom", "JSON", "CLinux"],
      exclude: ["FormatFolders"]),
    .testTarget(
      name: "DataToolsTests",
      dependencies: ["DataTools", "Persistence", "Classroom", "JSON", "SignalingServer", "rollcall"]),
    .testTarget(name: "EventLoopTests", dependencies: ["EventLoop"]),
    .testTarget(name: "TokensTests", dependencies: ["Tokens", "Classroom", "SignalingProtocol"]),
    .testTarget(
      name: "DiagnosisTests",
      dependencies: ["Diagnosis", "SignalingServer", "EventLoop", "TLS", "Persistence", "rollcall"]),
    .testTarget(
      name: "SignalingServerTests",
      dependencies: [
        "SignalingServer", "WebSocketCore", "WebSocketDeflate", "TLS", "EventLoop", "JSON", "Classroom",
        "SignalingProtocol", "Persistence", "Tokens", "HTTPClient",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(name: "SimulationTests", dependencies: ["Simulation"]),
    .testTarget(name: "LoadtestTests", dependencies: ["loadtest", "SignalingClient", "JSON", "SignalingProtocol"]),
    .testTarget(name: "Tidy"),
  ],
  swiftLanguageModes: [.v6]
)

// Links only with `-sanitize=fuzzer`: `make fuzz` asks for it.
if Context.environment["ROLLCALL_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver"))
}
