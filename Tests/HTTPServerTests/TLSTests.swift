import ConnectTestKit
import Foundation
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

    @Test(.enabled(if: tools.allSatisfy(FileManager.default.isExecutableFile), "needs openssl and curl"))
    func speaksHTTPS() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (certificate, key) = (folder.appending(path: "cert.pem"), folder.appending(path: "key.pem"))
        _ = try await output(
            of: tools[0],
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
                + "-addext subjectAltName=DNS:localhost -keyout \(key.path) -out \(certificate.path)"
        )
        let tls = Server.TLS(
            certificate: try String(contentsOf: certificate, encoding: .utf8),
            key: try String(contentsOf: key, encoding: .utf8)
        )
        try await withServer(.init(tls: tls), handler: { .text("secure \($0.path)") }) { port, _ in
            let answer = try await output(
                of: tools[1],
                "--silent --noproxy * --cacert \(certificate.path) --resolve localhost:\(port):127.0.0.1 "
                    + "https://localhost:\(port)/a"
            )
            #expect(answer == "secure [\"a\"]")
        }
    }

    private func output(of program: String, _ arguments: String) async throws -> String {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { _ in
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }
}
