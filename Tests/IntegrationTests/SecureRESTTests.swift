import ConnectTestKit
import FoundationEssentials
import Glibc
import Testing
import TransferClient

/// HTTPS and passwords over real sockets, from the worker and from the command line.
@Suite(.timeLimit(.minutes(2))) struct SecureRESTTests {
    private static let openssl = "/usr/bin/openssl"
    private static let password = "Pa55-\(UInt32.random(in: 0 ... .max))"

    @Test(.enabled(if: unsafe access(openssl, X_OK) == 0, "needs openssl"))
    func `HTTPS with a PEM file, users from a file, and nothing shown`() async throws {
        let folder = try WorkerProcess.makeFolder()
        let certificate = try await makeCertificate(folder)
        try write("ada=\(Self.password)\n", folder + "/users.properties")
        let port = try freePort(), adminPort = try freePort(), url = "https://localhost:\(port)"
        try write(
            """
            group.id=secure
            listeners=https://127.0.0.1:\(port)
            admin.listeners=http://127.0.0.1:\(adminPort)
            listeners.https.ssl.keystore.type=PEM
            listeners.https.ssl.keystore.location=\(folder)/server.pem
            rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension
            rest.basic.auth.credentials.file=\(folder)/users.properties
            response.http.headers.config=add X-Frame-Options: DENY
            access.control.allow.origin=https://console.example

            """,
            folder + "/worker.properties"
        )
        let worker = try WorkerProcess(folder: folder, port: nil, arguments: ["--embedded-kafka"])
        var settings = TransferSettings()
        settings.tls.authorities = certificate
        settings.proxy = ""
        let anonymous = try TransferClient(settings)
        settings.authorization = { .basic(user: "ada", password: Self.password) }
        let ada = try TransferClient(settings)
        settings.authorization = { .basic(user: "ada", password: "wrong") }
        let mallory = try TransferClient(settings)
        let health = try await worker.eventually("the worker is ready") {
            let answer = try await anonymous.send(TransferRequest("GET", url + "/health"))
            return answer.status == 200 ? answer : nil
        }
        #expect(health.header("X-Frame-Options") == "DENY")

        let refused = try await anonymous.send(TransferRequest("GET", url + "/connectors"))
        #expect(refused.status == 401 && refused.header("WWW-Authenticate")?.hasPrefix("Basic") == true)
        #expect(refused.text == #"{"error_code":401,"message":"User cannot access the resource."}"#)
        #expect(try await mallory.send(TransferRequest("GET", url + "/connectors")).status == 401)
        let origin = [TransferHeader("Origin", "https://console.example")]
        let allowed = try await ada.send(TransferRequest("GET", url + "/connectors", headers: origin))
        #expect(allowed.status == 200 && allowed.text == "[]")
        #expect(allowed.header("Access-Control-Allow-Origin") == "https://console.example")
        #expect(try await ada.send(TransferRequest("GET", url + "/admin/loggers")).status == 404)
        let admin = "http://127.0.0.1:\(adminPort)"
        #expect(try await ada.send(TransferRequest("GET", admin + "/admin/loggers")).status == 200)
        #expect(try await ada.send(TransferRequest("GET", admin + "/connectors")).status == 404)
        #expect(try await anonymous.send(TransferRequest("GET", admin + "/admin/loggers")).status == 401)

        try write(Self.password + "\n", folder + "/password")
        let line = ["--url", url, "--ca-file", certificate, "--user", "ada", "--password-file", folder + "/password"]
        let good = try await cli(["get", "connectors", "-o", "json"] + line, folder)
        #expect(good.status == 0 && good.text.hasPrefix("{"), "\(good.text)")
        let body = #"{"connector.class":"FileStreamSource","file":"/dev/null","topic":"t","tpic":"x"}"#
        try write(body, folder + "/odd.json")
        let odd = try await cli(["apply", "-f", folder + "/odd.json"] + line, folder)
        #expect(odd.status == 0 && odd.text.contains("tpic") && odd.text.contains("Did you mean topic?"), "\(odd.text)")
        let unknown = try await cli(["get", "connectors", "--url", url, "--ca-file", "/dev/null"], folder)
        #expect(unknown.status == 3 && unknown.text.contains("--ca-file"), "\(unknown.text)")
        let nobody = try await cli(["get", "connectors", "--url", url, "--ca-file", certificate], folder)
        #expect(nobody.status == 1 && nobody.text.contains("User cannot access"), "\(nobody.text)")
        let half = try await cli(["get", "connectors", "--user", "ada"], folder)
        #expect(half.status == 1 && half.text.contains("SLUICE_PASSWORD"))
        #expect(await worker.stop() == 0)
        #expect(!(worker.log + good.text + odd.text + nobody.text).contains(Self.password))
    }

    @Test(arguments: [
        ("listeners=ftp://x", "listeners"), ("listeners=https://127.0.0.1:0", "listeners.https.ssl.keystore.location"),
        (
            "listeners=https://127.0.0.1:0\nlisteners.https.ssl.keystore.type=JKS",
            "listeners.https.ssl.keystore.type"
        ),
        (
            "listeners=https://127.0.0.1:0\nssl.keystore.location=/dev/null", "ssl.keystore.location"
        ),
        (
            "rest.extension.classes=BasicAuthSecurityRestExtension", "rest.basic.auth.credentials.file"
        ),
        ("rest.basic.auth.credentials.file=/nowhere", "rest.basic.auth.credentials.file"),
        ("response.http.headers.config=put X", "response.http.headers.config"),
    ])
    func `a setting that cannot be used ends the start and is named`(properties: String, key: String) async throws {
        let folder = try WorkerProcess.makeFolder()
        try write(properties + "\n", folder + "/worker.properties")
        let worker = try WorkerProcess(folder: folder, port: nil, arguments: ["--embedded-kafka"])
        #expect(await worker.untilEnded() != 0)
        #expect(
            worker.log.contains("configuration \(key)") || worker.log.contains("\"\(key)\"")
                || worker.log.contains("\(key):"),
            "\(worker.log)"
        )
    }

    /// A key and a self-signed certificate for localhost in `server.pem`; returns the certificate's own file.
    private func makeCertificate(_ folder: String) async throws -> String {
        let made = try await run(
            [
                Self.openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                folder + "/key.pem", "-out", folder + "/cert.pem",
            ],
            folder
        )
        #expect(made.status == 0, "\(made.text)")
        try write(text(folder + "/key.pem") + text(folder + "/cert.pem"), folder + "/server.pem")
        return folder + "/cert.pem"
    }
    private func cli(_ words: [String], _ folder: String) async throws -> (status: Int32, text: String) {
        try await run([WorkerProcess.program] + words, folder)
    }
    private func run(_ command: [String], _ folder: String) async throws -> (status: Int32, text: String) {
        let file = "\(folder)/output-\(UInt64.random(in: 0 ... .max))"
        let process = try ChildProcess(command, output: file)
        let status = await ended(process)
        return (status, text(file))
    }
    private func text(_ file: String) -> String {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
