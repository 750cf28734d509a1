/// What one look at the directory found.
struct DirectoryLook: Sendable {
    /// Tells one content of a file from another without reading it.
    struct Stamp: Sendable, Hashable {
        var inode: UInt64
        var size: Int64
        /// Nanoseconds since 1970.
        var modified: Int64
    }
    /// The directory itself; another one when it was unmounted or replaced.
    var directory: UInt64
    /// `*.json` files by name.
    var files: [String: Stamp]
}

/// Decides what a look at the directory means; no clock, no I/O: looks and contents in, changes out.
struct DirectoryPlan: Sendable {
    /// What is to be done about one file.
    enum Change: Sendable {
        /// The file is new or changed; `apply` its content.
        case apply(file: String, ConfigFile)
        /// The file that a connector came from is gone.
        case delete(name: String, file: String)
    }
    private struct Known: Sendable {
        var stamp: DirectoryLook.Stamp
        /// The connector that the file stands for; nil while the file is broken.
        var name: String?
        var problem: ConfigDirectoryProblem?
        /// The content waits to be applied (again).
        var pending: ConfigFile?
        /// When the file was first seen broken; it may be half written.
        var brokenSince: Duration?
    }
    private var known: [String: Known] = [:]
    private var directory: UInt64?
    private var emptyLooks = 0
    private let path: String
    /// A problem of the directory as a whole.
    private(set) var general: ConfigDirectoryProblem?
    /// A file that is no JSON is given this long to become one.
    static let patience = Duration.milliseconds(1_500)

    init(path: String) { self.path = path }

    /// Problems in order of file.
    var problems: [ConfigDirectoryProblem] {
        (general.map { [$0] } ?? []) + known.sorted { $0.key < $1.key }.compactMap(\.value.problem)
    }
    /// Whether something waits for a further look soon.
    var isRestless: Bool { known.values.contains { $0.brokenSince != nil || $0.pending != nil } || emptyLooks == 1 }

    /// The directory cannot be read: nothing changes.
    mutating func failed(_ reason: String) {
        general = ConfigDirectoryProblem(file: path, reason: reason)
    }
    /// Takes a look; `owned` are the connectors that came from files of this directory, `read` gives a file's content.
    mutating func took(
        _ look: DirectoryLook,
        owned: [String: String],
        now: Duration,
        read: (String) -> [UInt8]?
    ) -> [Change] {
        general = nil
        if look.files.isEmpty, !(known.isEmpty && owned.isEmpty), !mayEmpty(look, owned) { return [] }
        if !look.files.isEmpty { emptyLooks = 0 }
        directory = look.directory
        let gone = known.filter { look.files[$0.key] == nil }
        for file in gone.keys { known[file] = nil }
        var changes: [Change] = []
        for (file, stamp) in look.files.sorted(by: { $0.key < $1.key }) {
            if let change = took(file, stamp, now, read) { changes.append(change) }
        }
        let present = Set(known.values.compactMap(\.name))
        let broken = Set(known.filter { $0.value.name == nil }.keys)
        for (name, file) in owned.sorted(by: { $0.key < $1.key })
        where !present.contains(name) && !broken.contains(file) {
            changes.append(.delete(name: name, file: file))
        }
        return changes
    }
    /// A directory that lost all files at once may have lost its mount: that deletes nothing.
    private mutating func mayEmpty(_ look: DirectoryLook, _ owned: [String: String]) -> Bool {
        guard let directory else {
            general = ConfigDirectoryProblem(
                file: path,
                reason:
                    "The directory has no *.json file, but \(owned.count) connectors came from it before; they keep running. "
                    + "If they are not wanted any more, delete them by REST."
            )
            return false
        }
        guard directory == look.directory else {
            general = ConfigDirectoryProblem(
                file: path,
                reason:
                    "The directory was replaced by an empty one (is it still mounted?); its connectors keep running."
            )
            return false
        }
        emptyLooks += 1
        return emptyLooks > 1
    }
    private mutating func took(
        _ file: String,
        _ stamp: DirectoryLook.Stamp,
        _ now: Duration,
        _ read: (String) -> [UInt8]?
    ) -> Change? {
        var entry = known[file] ?? Known(stamp: stamp)
        let isNew = known[file] == nil || entry.stamp != stamp
        defer { known[file] = entry }
        guard isNew || entry.brokenSince != nil else {
            return entry.pending.flatMap { claim($0, file, &entry) }
        }
        if isNew { entry.brokenSince = nil }
        entry.stamp = stamp
        guard let bytes = read(file) else { return nil }
        let parsed: ConfigFile
        do throws(ConfigDirectoryProblem) { parsed = try ConfigFile(bytes, path: "\(path)/\(file)") } catch {
            let since = entry.brokenSince ?? now
            if now - since < Self.patience {
                entry.brokenSince = since
            } else {
                (entry.brokenSince, entry.problem, entry.pending) = (nil, error, nil)
            }
            return nil
        }
        (entry.brokenSince, entry.pending) = (nil, parsed)
        return claim(parsed, file, &entry)
    }
    /// Of two files with one name the first by file name counts.
    private func claim(_ parsed: ConfigFile, _ file: String, _ entry: inout Known) -> Change? {
        if let other = known.first(where: { $0.key != file && $0.value.name == parsed.name }) {
            entry.name = nil
            entry.problem = parsed.problem(
                "name",
                "Connector \(parsed.name) is already defined by \(other.key); this file is ignored until one of them changes."
            )
            return nil
        }
        entry.name = parsed.name
        return .apply(file: file, parsed)
    }
    /// What became of an ``Change/apply(file:_:)``: done, or wrong for good until the file changes.
    mutating func applied(_ file: String, problem: ConfigDirectoryProblem?) {
        known[file]?.pending = nil
        known[file]?.problem = problem
    }
    /// It could not be done now; the next look tries again.
    mutating func postponed(_ file: String, problem: ConfigDirectoryProblem) { known[file]?.problem = problem }
}
