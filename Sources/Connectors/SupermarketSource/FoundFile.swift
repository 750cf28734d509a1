import ConnectSDK
import Glibc

/// A file in the watched directory as it was when it was listed.
struct FoundFile: Sendable, Hashable {
    let path: String
    /// Below the watched directory, with its sub-folders.
    let relativePath: String
    let size: Int
    /// Milliseconds since 1970.
    let modified: Int64
    let name: PriceFileName
    /// From the nearest folder that is a chain's, else from the name; nil when only the document can tell.
    let chain: String?

    var fileName: String { relativePath.split(separator: "/").last.map(String.init) ?? relativePath }
    var folder: String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    init(directory: String, relativePath: String, size: Int, modified: Int64) {
        path = "\(directory)/\(relativePath)"
        (self.relativePath, self.size, self.modified) = (relativePath, size, modified)
        let parts = path.split(separator: "/").map(String.init)
        name = PriceFileName(parts.last ?? "")
        let byFolder = parts.dropLast().reversed().lazy.compactMap { Chains.named(byFolder: $0) }.first
        chain = byFolder ?? name.chainID.map { Chains.named(byID: $0) ?? $0 }
    }

    /// Whether the file at the path is another one by now, or gone.
    static func hasChanged(_ file: FoundFile) throws(ImportFailure) -> Bool {
        guard let now = FileAttributes(path: file.path) else { return true }
        return now.size != file.size || now.modified != file.modified
    }

    /// Which file: the same name with another size or time is another file.
    var partition: OffsetMap {
        ["file": .string(relativePath), "size": .int(Int64(size)), "modified": .int(modified)]
    }

    func position(row: Int, done: Bool) -> SourcePosition {
        SourcePosition(partition: partition, offset: ["row": .int(Int64(row)), "done": .boolean(done)])
    }

    /// Files of one store and kind of list belong to one task, so that they stay in order.
    var share: Int {
        let text = "\(chain ?? folder)/\(name.store ?? "")/\(name.type?.family.rawValue ?? -1)"
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return Int(hash >> 33)
    }
}

/// Size and time of an ordinary file.
struct FileAttributes {
    let size: Int
    let modified: Int64

    /// Nil when there is no ordinary file at the path.
    init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        size = Int(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
    }
}
