import Glibc

/// Where a worker's process lives, so that another one on the same machine can tell whether it is gone.
///
/// A worker that was killed stays a member of its group until its session is over. Its successor on the same machine need
/// not wait for that: the kernel knows.
struct Place: Sendable, Hashable {
    /// The run of the machine (`/proc/sys/kernel/random/boot_id`).
    var boot: String
    /// The network namespace, within which a port has one owner.
    var network: String
    /// The port of the first listener; 0 without one.
    var port: Int
    /// The namespace of process ids.
    var processes: String
    /// The process id in it.
    var process: Int32
    /// When the process started, in the kernel's clock ticks; 0 when unknown.
    var started: UInt64

    /// One word, part of `client.id`.
    var text: String { "\(boot).\(network).\(port).\(processes).\(process).\(started)" }

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 6, let port = Int(parts[2]), let process = Int32(parts[4]),
            let started = UInt64(parts[5])
        else { return nil }
        self.init(
            boot: String(parts[0]),
            network: String(parts[1]),
            port: port,
            processes: String(parts[3]),
            process: process,
            started: started
        )
    }
    init(boot: String, network: String, port: Int, processes: String, process: Int32, started: UInt64) {
        (self.boot, self.network, self.port) = (boot, network, port)
        (self.processes, self.process, self.started) = (processes, process, started)
    }

    /// Whether a worker of that place is certainly dead, as seen from this place, whose worker is alive.
    ///
    /// `startOf` tells when a process started: nil when there is none, 0 when it is not known.
    func knowsDead(_ other: Place, startOf: (Int32) -> UInt64?) -> Bool {
        guard !boot.isEmpty, boot == other.boot, other != self else { return false }
        // We hold its port; nobody else can.
        if !network.isEmpty, network == other.network, port != 0, port == other.port { return true }
        guard !processes.isEmpty, processes == other.processes else { return false }
        guard let started = startOf(other.process) else { return true }
        return started != 0 && other.started != 0 && started != other.started
    }
}

extension Place {
    /// This process; `port` is what its first listener is bound to.
    static func here(port: Int) -> Place {
        let id = getpid()
        return Place(
            boot: readText("/proc/sys/kernel/random/boot_id").filter { $0 != "-" },
            network: namespace("net"),
            port: port,
            processes: namespace("pid"),
            process: id,
            started: startTime(of: id) ?? 0
        )
    }
    /// Nil when there is no such process, 0 when the kernel does not tell.
    ///
    /// A process of another user may be hidden in `/proc`, but never from `kill`.
    static func startTime(of id: Int32) -> UInt64? {
        if kill(id, 0) != 0, errno == ESRCH { return nil }
        // `pid (name) state …`: the name may hold anything, so fields are counted from its end; the 22nd is the start.
        let text = readText("/proc/\(id)/stat")
        guard let end = text.lastIndex(of: ")") else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) ?? 0 : 0
    }
    /// `net:[4026531840]` without what is the same everywhere.
    private static func namespace(_ kind: String) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let size = buffer.count
        let count = unsafe readlink("/proc/self/ns/\(kind)", &buffer, size)
        let text = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return String(decoding: text, as: UTF8.self).filter(\.isNumber)
    }
    /// The first 4 KB of a file; empty when it cannot be read.
    private static func readText(_ path: String) -> String {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let size = buffer.count
        let count = unsafe read(file, &buffer, size)
        let text = count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
        return String(text.prefix { $0 != "\n" })
    }
}
