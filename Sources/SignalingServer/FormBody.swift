import HTTPCore
import JSON
import SignalingProtocol

/// A creation that came as a form: its fields as the JSON object that would say the same, and its picture.
struct FormBody {
  /// One JSON object.
  let json: [UInt8]
  /// The content of the file, if there is one.
  let thumbnail: [UInt8]?

  /// The fields that are numbers, truth values, or lists and objects, which a form has as text.
  private static let integers: Set = ["duration_minutes", "capacity"]
  private static let booleans: Set = ["guests", "waiting_room"]
  private static let structures: Set = ["materials", "reminders", "tags", "invited"]

  /// Reads the body of a request; nil when it is no form.
  init?(_ request: HTTPRequest) throws(ProtocolError) {
    guard let type = request.headers.first("content-type"), Self.isForm(type) else { return nil }
    guard let boundary = MultipartForm.boundary(ofContentType: type) else {
      throw ProtocolError(.badRequest, "The form has no usable boundary.")
    }
    let form: MultipartForm
    do throws(MultipartForm.Failure) {
      form = try MultipartForm(request.body, boundary: boundary)
    } catch {
      throw ProtocolError(.badRequest, "The form is malformed: \(error.code).")
    }
    var thumbnail: [UInt8]?
    var writer = JSONWriter(reserving: 1024)
    var names: Set<String> = []
    writer.beginObject()
    for part in form.parts {
      guard names.insert(part.name).inserted else {
        throw ProtocolError(.invalidField, "The form has this field twice.", field: part.name)
      }
      if part.name == "thumbnail", part.fileName != nil {
        // What a browser sends when no file is chosen.
        if !part.content.isEmpty { thumbnail = Array(request.body[part.content]) }
        continue
      }
      guard let text = MultipartForm.text(of: part, in: request.body) else {
        throw ProtocolError(.invalidField, "The field is not UTF-8.", field: part.name)
      }
      Self.write(part.name, text, into: &writer)
    }
    writer.endObject()
    (json, self.thumbnail) = (writer.bytes, thumbnail)
  }

  static func isForm(_ contentType: String) -> Bool { contentType.lowercased().hasPrefix("multipart/form-data") }

  /// What is no value of its kind is left a string, for the reader of the fields to refuse by its name. A field that was
  /// left empty was not filled in.
  private static func write(_ name: String, _ text: String, into writer: inout JSONWriter) {
    guard !text.isEmpty else { return }
    writer.key(name)
    if integers.contains(name), let number = Int64(text) {
      writer.integer(number)
    } else if booleans.contains(name), ["true", "on", "1"].contains(text) {
      writer.boolean(true)
    } else if booleans.contains(name), ["false", "off", "0"].contains(text) {
      writer.boolean(false)
    } else if structures.contains(name), isJSON(text) {
      writer.raw(Array(text.utf8))
    } else {
      writer.string(text)
    }
  }

  private static func isJSON(_ text: String) -> Bool {
    var reader = JSONReader()
    do throws(ProtocolError) {
      return try reader.read(
        Array(text.utf8), maximumDepth: ProtocolLimits.jsonDepth - 1,
        failure: { _ in ProtocolError(.malformedJSON, "The field is not JSON.") }
      ) { _ throws(ProtocolError) in true }
    } catch {
      return false
    }
  }
}
