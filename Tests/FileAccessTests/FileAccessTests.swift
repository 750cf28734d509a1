import FileAccess
import Glibc
import Testing

@Suite struct LineScannerTests {
    private func lines(_ text: String, most: Int = .max) -> (lines: [String], rest: Int) {
        let bytes = Array(text.utf8)
        var found: [Range<Int>] = []
        let rest = LineScanner.scan(bytes, 0..<bytes.count, most: most, into: &found)
        return (found.map { String(decoding: bytes[$0], as: UTF8.self) }, rest)
    }

    @Test(arguments: [
        ("", [], 0), ("a", [], 0), ("a\n", ["a"], 2), ("\n\n", ["", ""], 2), ("a\r\nb\n", ["a", "b"], 5),
        ("a\rb\r", ["a"], 2), ("a\r\r\nb", ["a", ""], 4), ("a\r", [], 0), ("a\nb\r\n\rc\n", ["a", "b", "", "c"], 8),
    ])
    func `ends are newline, both, or a lone carriage return`(text: String, expected: [String], rest: Int) {
        let found = lines(text)
        #expect(found.lines == expected)
        #expect(found.rest == rest)
    }

    @Test func `stops after the most that was asked for`() {
        let found = lines("a\nb\nc\n", most: 2)
        #expect(found.lines == ["a", "b"])
        #expect(found.rest == 4)
    }

    @Test func `looks at nothing outside its part`() {
        let bytes = Array("x\nab\ncd\n".utf8)
        var found: [Range<Int>] = []
        #expect(LineScanner.scan(bytes, 2..<6, most: 9, into: &found) == 5)
        #expect(found == [2..<4])
    }
}

@Suite struct OpenFileTests {
    private let directory = temporaryDirectory()

    @Test func `appends, cuts off, renames, lists and reads`() throws {
        let path = directory + "/a/b/file"
        try FileTree.makeDirectory(directory + "/a/b")
        try FileTree.makeDirectory(directory + "/a/b")
        let file = try OpenFile(path, .append)
        try file.write([1, 2, 3, 4])
        try file.truncate(to: 3)
        try file.sync()
        try FileTree.rename(path, to: path + "2")
        try FileTree.sync(directory: directory + "/a/b")
        #expect(try FileTree.names(in: directory + "/a/b") == ["file2"])
        #expect(try FileTree.read(path + "2") == [1, 2, 3])
        #expect(try FileTree.facts(path) == nil)
        #expect(try FileTree.facts(path + "2")?.identity == file.facts().identity)
        try FileTree.remove(path + "2")
        try FileTree.remove(path + "2")
    }

    @Test func `a refusal says what, where and why`() {
        let missing = #expect(throws: FileError.self) { try OpenFile("/no/such/file", .read) }
        #expect(missing?.description == "opening /no/such/file: No such file or directory")
        #expect(missing?.isMissing == true)
        #expect(missing?.isPassing == false)
        #expect(FileError("writing", "x", number: ENOSPC).isPassing)
        let tooLarge = #expect(throws: FileError.self) { try FileTree.read("/bin/sh", most: 1_000) }
        #expect(tooLarge?.number == EFBIG)
    }

    @Test func `a full device is a passing refusal`() throws {
        let full = try OpenFile("/dev/full", .append)
        let refused = #expect(throws: FileError.self) { try full.write([1]) }
        #expect(refused?.isPassing == true)
    }

    @Test func `a lock has one holder and goes with it`() throws {
        try FileTree.makeDirectory(directory)
        let path = directory + "/lock"
        var first: OpenFile? = try OpenFile(path, .lock)
        let second = try OpenFile(path, .lock)
        #expect(try first?.lock() == true)
        #expect(try second.lock() == false)
        first = nil
        #expect(try second.lock() == true)
    }

    @Test func `an empty pipe gives nothing, a closed one its end`() throws {
        try FileTree.makeDirectory(directory)
        let path = directory + "/pipe"
        #expect(unsafe mkfifo(path, 0o600) == 0)
        let reader = try OpenFile(path, .read)
        var writer: OpenFile? = try OpenFile(path, .append)
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(try reader.read(into: &buffer, 0..<8) == nil)
        #expect(try !reader.waitUntilReadable(.milliseconds(1)))
        try writer?.write([7])
        #expect(try reader.waitUntilReadable(.seconds(5)))
        #expect(try reader.read(into: &buffer, 2..<8) == 1)
        #expect(buffer[2] == 7)
        writer = nil
        #expect(try reader.read(into: &buffer, 0..<8) == 0)
    }
}

func temporaryDirectory() -> String {
    "/tmp/sluice-files-\(getpid())-\(UInt64.random(in: 0 ... .max))"
}
