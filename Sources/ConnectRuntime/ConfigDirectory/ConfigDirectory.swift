import ConnectConfig
import FileAccess
import Lifecycle
import Logs
import Synchronization

/// Keeps connectors in line with the `*.json` files of a directory.
///
/// A new file creates a connector, a changed one updates it, a removed one deletes it; a broken file changes nothing.
/// Connectors that were created otherwise are left alone: a mark in the config topic tells which ones came from a file.
final class ConfigDirectory: Sendable {
    private let path: String
    private let herder: any Herder
    private let owners: ConfigStore
    /// nil where the system offers no watching: the rescan finds the changes.
    private let watch: DirectoryWatch?
    /// Opens when something happens in the directory; a new one is put in its place before each look.
    private let change: Change
    private final class Change: Sendable {
        let latch = Mutex(Latch())
    }
    private let plan: Mutex<DirectoryPlan>
    private let log = Logger("sluice.runtime.directory")
    private let reported = Mutex<Set<ConfigDirectoryProblem>>([])
    /// Looks at the directory at least so often: some file systems report no changes.
    static let rescan = Duration.milliseconds(1_500)

    init(_ path: String, herder: any Herder, owners: ConfigStore) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        (self.herder, self.owners) = (herder, owners)
        let change = Change()
        self.change = change
        watch = DirectoryWatch { change.latch.withLock { $0 }.open() }
        plan = Mutex(DirectoryPlan(path: self.path))
    }

    /// What is wrong now.
    var problems: [ConfigDirectoryProblem] { plan.withLock { $0.problems } }

    /// Follows the directory until `stop` opens.
    func run(until stop: Latch) async {
        log.info("Watching the config directory", ["directory": "\(path)"])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [change] in
                await stop.wait()
                change.latch.withLock { $0 }.open()
            }
            while !stop.isOpen && !Task.isCancelled {
                let latch = Latch()
                change.latch.withLock { $0 = latch }
                // The directory may appear later or be replaced, so it is watched anew each time.
                watch?.add([path])
                await look()
                if stop.isOpen { break }
                _ = await latch.wait(for: plan.withLock { $0.isRestless } ? .milliseconds(300) : Self.rescan)
            }
            group.cancelAll()
        }
    }

    /// One look, and everything that follows from it; files are applied side by side.
    func look() async {
        let began = ContinuousClock.now - Self.zero
        let changes: [DirectoryPlan.Change]
        switch DirectoryReader.look(path) {
        case .failure(let failure):
            plan.withLock { $0.failed(failure.reason) }
            changes = []
        case .success(let look):
            let owned = owners.files(of: path)
            changes = plan.withLock { plan in
                plan.took(look, owned: owned, now: began) { DirectoryReader.content("\(path)/\($0)") }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for change in changes { group.addTask { await self.carryOut(change) } }
        }
        report()
    }
    private static let zero = ContinuousClock.now

    private func carryOut(_ change: DirectoryPlan.Change) async {
        switch change {
        case .apply(let file, let parsed): await apply(parsed, file)
        case .delete(let name, let file):
            do throws(HerderError) {
                try await herder.delete(name)
                log.info("Deleted a connector: its file is gone", ["connector": "\(name)", "file": "\(file)"])
            } catch {
                guard case .unknownConnector = error else {
                    log.warn("Connector not deleted, trying again", ["connector": "\(name)", "reason": "\(error)"])
                    return
                }
            }
            try? await owners.putFile(name, nil)
        }
    }
    private func apply(_ parsed: ConfigFile, _ file: String) async {
        let name = parsed.name
        do throws(HerderError) {
            let old = owners.connector(name)
            var wanted = parsed.config
            if wanted["name"] == nil { wanted.set("name", name) }
            if let old {
                if old.config != wanted {
                    _ = try await herder.put(name, parsed.config)
                    log.info("Updated a connector from its file", ["connector": "\(name)", "file": "\(file)"])
                }
            } else {
                _ = try await herder.create(name, parsed.config, initialState: parsed.initialState)
                log.info("Created a connector from its file", ["connector": "\(name)", "file": "\(file)"])
            }
            try? await owners.putFile(name, ConfigFileMark(directory: path, file: file))
            plan.withLock { $0.applied(file, problem: nil) }
        } catch {
            switch error {
            case .invalidConfig(let issues):
                let first = issues.first
                let more = issues.count > 1 ? " (and \(issues.count - 1) more)" : ""
                plan.withLock {
                    $0.applied(file, problem: parsed.problem(first?.key, (first?.message ?? error.message) + more))
                }
            case .badRequest(let text):
                let key = parsed.config["connector.class"] == nil ? nil : "connector.class"
                plan.withLock { $0.applied(file, problem: parsed.problem(key, text)) }
            default:
                plan.withLock {
                    $0.postponed(file, problem: parsed.problem(nil, "\(error.message) It is tried again."))
                }
            }
        }
    }
    /// Each problem is logged once, and once more when it is over.
    private func report() {
        let now = Set(problems)
        let (new, over) = reported.withLock { known in
            defer { known = now }
            return (now.subtracting(known), known.subtracting(now))
        }
        for problem in new.sorted(by: { $0.file < $1.file }) {
            log.error("Problem in the config directory", ["problem": "\(problem)"])
        }
        for problem in over.sorted(by: { $0.file < $1.file }) where !now.contains(where: { $0.file == problem.file }) {
            log.info("Problem in the config directory is over", ["file": "\(problem.file)"])
        }
    }
}
