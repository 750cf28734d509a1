import ConnectTestKit
import Dispatch
import FoundationEssentials
import Glibc
import Lifecycle
import Testing

@testable import HTTPServer

private let tools = ["/usr/bin/openssl", "/usr/bin/curl"]

@Suite(.timeLimit(.minutes(1))) struct TLSTests {
    @Test func unusableCertificateIsExplained() async throws {
        let server = try Server(.init(tls: .init(certificate: "none", key: "none")), handler: { _ in .text("") })
        let error = await #expect(throws: ServerError.self) { try await server.run(until: Latch()) }
        #expect(error?.description.contains("not usable PEM") == true)
    }

    @Test(.enabled(if: tools.allSatisfy { unsafe access($0, X_OK) == 0 }, "needs openssl and curl"))
    func speaksHTTPS() async throws {
        let folder = "/tmp/sluice-tls-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (certificate, key) = ("\(folder)/cert.pem", "\(folder)/key.pem")
        _ = try await output(
            of: "/usr/bin/openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
                + "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout \(key) -out \(certificate)",
            in: folder
        )
        let tls = Server.TLS(certificate: text(of: certificate), key: text(of: key))
        try await withServer(.init(tls: tls), handler: { .text("secure \($0.path)") }) { port, _ in
            let answer = try await output(
                of: "/usr/bin/curl --silent --noproxy * --cacert \(certificate) "
                    + "--resolve localhost:\(port):127.0.0.1 https://localhost:\(port)/a",
                in: folder
            )
            #expect(answer == "secure [\"a\"]")
        }
    }

    /// What a program writes; it ends before this returns, waited for on a thread of its own.
    private func output(of command: String, in folder: String) async throws -> String {
        let file = "\(folder)/output-\(UInt64.random(in: 0 ... .max))"  // each its own: output is appended
        let process = try ChildProcess(command.split(separator: " ").map(String.init), output: file)
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "tls-test").async {
                _ = process.wait()
                continuation.resume()
            }
        }
        return text(of: file)
    }

    private func text(of file: String) -> String {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
