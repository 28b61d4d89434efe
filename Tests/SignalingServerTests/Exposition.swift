import Foundation

@testable import SignalingServer

/// The text format of Prometheus, version 0.0.4, read strictly: what a scraper would refuse is refused here.
struct Exposition {
  struct Sample {
    var name: String
    var labels: [String: String]
    var value: Double
  }

  struct Family {
    var name: String
    var type: String
    var samples: [Sample] = []
  }

  private(set) var families: [Family] = []

  /// The figures of a server, now.
  init(of server: TestServer) throws {
    let response =
      if let port = server.metricsPort {
        try VectorHTTPResponse("GET", "/metrics", headers: [:], body: nil, port: port)
      } else {
        try server.get("/metrics")
      }
    guard response.status == 200, response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8" else {
      throw VectorFailure("no figures: \(response.status)")
    }
    try self.init(parsing: String(decoding: response.body, as: UTF8.self))
  }

  init(parsing text: String) throws {
    guard text.hasSuffix("\n") else { throw VectorFailure("the last line has no end") }
    var help: String?
    for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
      if let match = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*)/) {
        guard help == nil else { throw VectorFailure("a HELP without its TYPE before \(line)") }
        help = String(match.1)
      } else if let match = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/) {
        let name = String(match.1)
        guard help == name, !families.contains(where: { $0.name == name }) else {
          throw VectorFailure("\(line): no HELP before it, or a second time")
        }
        help = nil
        families.append(Family(name: name, type: String(match.2)))
      } else {
        let sample = try Self.sample(line)
        guard help == nil, let last = families.indices.last, families[last].owns(sample.name) else {
          throw VectorFailure("\(line): not of the family before it")
        }
        guard
          !families[last].samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels })
        else { throw VectorFailure("\(line): twice") }
        families[last].samples.append(sample)
      }
    }
    for family in families { try family.check() }
  }

  private static func sample(_ line: Substring) throws -> Sample {
    guard let match = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^}]*)\})? (\S+)/),
      let value = Double(match.3)
    else { throw VectorFailure("no sample: \(line)") }
    var labels: [String: String] = [:]
    for pair in (match.2 ?? "").split(separator: ",") {
      guard let parts = pair.wholeMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*)"/) else {
        throw VectorFailure("no label: \(line)")
      }
      labels[String(parts.1)] = String(parts.2)
    }
    return Sample(name: String(match.1), labels: labels, value: value)
  }

  /// The value of a sample with these labels.
  func value(_ name: String, _ labels: [String: String] = [:]) throws -> Int {
    for family in families {
      if let sample = family.samples.first(where: { $0.name == name && $0.labels == labels }) {
        return Int(sample.value)
      }
    }
    throw VectorFailure("there is no \(name) \(labels)")
  }
}

extension Exposition.Family {
  fileprivate func owns(_ sample: String) -> Bool {
    type == "histogram" ? ["_bucket", "_sum", "_count"].contains { sample == name + $0 } : sample == name
  }

  fileprivate func check() throws {
    guard !samples.isEmpty else { throw VectorFailure("\(name) has no samples") }
    guard type == "histogram" else {
      if type == "counter", !name.hasSuffix("_total") { throw VectorFailure("\(name): a counter ends with _total") }
      if samples.contains(where: { $0.value < 0 }) { throw VectorFailure("\(name) is negative") }
      return
    }
    guard name.hasSuffix("_seconds") else { throw VectorFailure("\(name): times are in seconds") }
    let buckets = samples.filter { $0.name.hasSuffix("_bucket") }
    let bounds = buckets.map { $0.labels["le"] == "+Inf" ? Double.infinity : Double($0.labels["le"] ?? "") ?? .nan }
    let counts = buckets.map(\.value)
    guard bounds.last == .infinity, bounds == bounds.sorted(), Set(bounds).count == bounds.count,
      counts == counts.sorted(), counts.last == samples.first(where: { $0.name.hasSuffix("_count") })?.value,
      samples.contains(where: { $0.name.hasSuffix("_sum") })
    else { throw VectorFailure("\(name) is no histogram") }
  }
}
