import Testing

@testable import HTTPCore

@Suite("Forms with files (RFC 7578)")
struct MultipartFormTests {
  private func parts(_ text: String, boundary: String = "b") throws(MultipartForm.Failure) -> [(String, String)] {
    let body = Array(text.utf8)
    return try MultipartForm(body, boundary: boundary).parts.map {
      ($0.name, MultipartForm.text(of: $0, in: body) ?? "?")
    }
  }

  private func failure(_ text: String) -> String? {
    do throws(MultipartForm.Failure) {
      _ = try MultipartForm(Array(text.utf8), boundary: "b")
      return nil
    } catch {
      return error.code
    }
  }

  @Test("fields and files come out by name, with their contents as they are")
  func form() throws {
    let body = Array(
      """
      --b\r\nContent-Disposition: form-data; name="title"\r\n\r\nAlgebra\r\n\
      --b  \r\ncontent-disposition:form-data;name=thumbnail; filename="a \\"b\\".png"\r\nContent-Type: image/png\r\n\r\n\
      \u{1}\r\n--\r\n--bb\r\n\r\n--b--\r\nepilogue
      """.utf8)
    let form = try MultipartForm(body, boundary: "b")
    #expect(form.parts.map(\.name) == ["title", "thumbnail"])
    #expect(MultipartForm.text(of: form.parts[0], in: body) == "Algebra")
    #expect(form.parts[1].fileName == #"a "b".png"# && form.parts[1].contentType == "image/png")
    #expect(Array(body[form.parts[1].content]) == Array("\u{1}\r\n--\r\n--bb\r\n".utf8))
  }

  @Test("an empty form, an empty field and a line end before the first boundary are no errors")
  func empty() throws {
    #expect(try parts("--b--").isEmpty)
    let both = try parts("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b--\r\n")
    #expect(both.count == 1 && both[0] == ("a", ""))
  }

  @Test(
    "what is no form is refused with the rule that it breaks",
    arguments: [
      ("", "no_boundary"), ("x--b--", "no_boundary"), ("--b", "bad_boundary_line"), ("--bx\r\n", "bad_boundary_line"),
      ("--b\r\n", "cut_off"), ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx", "cut_off"),
      ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b", "bad_boundary_line"),
      ("--b\r\n\r\nx\r\n--b--", "no_part_name"), ("--b\r\nContent-Disposition: form-data\r\n\r\n", "bad_disposition"),
      ("--b\r\nContent-Disposition: inline; name=a\r\n\r\n", "bad_disposition"),
      ("--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n", "no_part_name"),
      ("--b\r\nnonsense\r\n\r\n", "bad_part_header"),
    ])
  func refused(_ body: String, _ code: String) { #expect(failure(body) == code) }

  @Test("parts and their headers are bounded")
  func bounds() {
    let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
    #expect(failure(String(repeating: part, count: 64) + "--b--") == nil)
    #expect(failure(String(repeating: part, count: 65) + "--b--") == "too_many_parts")
    let long = "--b\r\nX: \(String(repeating: "x", count: 5000))\r\n\r\n\r\n--b--"
    #expect(failure(long) == "part_header_too_large")
  }

  @Test(
    "the boundary is read from the type, and only from that of a form",
    arguments: [
      ("multipart/form-data; boundary=x", "x"), ("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b\"", "a b"),
      ("multipart/form-data", nil), ("multipart/form-data; boundary=", nil), ("multipart/mixed; boundary=x", nil),
      ("application/json", nil), ("multipart/form-data; boundary=\"\(String(repeating: "x", count: 71))\"", nil),
      ("multipart/form-data; boundary=\"x \"", nil), ("multipart/form-data; boundary=\"x\r\n\"", nil),
    ])
  func boundary(_ type: String, _ boundary: String?) {
    #expect(MultipartForm.boundary(ofContentType: type) == boundary)
  }

  @Test("no input traps: cut and changed at every byte")
  func mutations() {
    let body = Array("--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"\\\"\r\n\r\nx\r\n--b--\r\n".utf8)
    for index in body.indices {
      _ = try? MultipartForm(Array(body[..<index]), boundary: "b")
      for byte: UInt8 in [0, 10, 13, 34, 45, 58, 59, 61, 92, 255] {
        var changed = body
        changed[index] = byte
        _ = try? MultipartForm(changed, boundary: "b")
      }
    }
  }
}
