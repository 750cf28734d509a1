import FoundationEssentials

/// Moves files to where they go after the import.
struct FileCleanup {
    private let config: SupermarketSourceConfig

    init(_ config: SupermarketSourceConfig) { self.config = config }

    /// Makes the directories.
    ///
    /// Throws what the system says.
    func prepare() throws {
        for directory in [config.finishedDirectory, config.errorsDirectory].compactMap(\.self) {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
    }

    /// After the last offset is committed.
    ///
    /// Throws what the system says.
    func finish(_ file: FoundFile) throws {
        switch config.cleanup {
        case .none: break
        case .delete: try FileManager.default.removeItem(atPath: file.path)
        case .move: if let directory = config.finishedDirectory { _ = try move(file, to: directory) }
        }
    }

    /// Moves a broken file aside, with the reason beside it; the new path, or nil when it stays.
    ///
    /// Throws what the system says.
    func reject(_ file: FoundFile, _ failure: ImportFailure) throws -> String? {
        guard let directory = config.errorsDirectory else { return nil }
        let path = try move(file, to: directory)
        let text = """
            file: \(file.relativePath)
            size: \(file.size)
            kind: \(failure.kind.rawValue)
            reason: \(failure.reason)

            """
        try text.write(toFile: path + ".reason", atomically: true, encoding: .utf8)
        return path
    }

    /// Keeps the sub-folder; a name that is taken gets a number.
    private func move(_ file: FoundFile, to directory: String) throws -> String {
        let target = "\(FileFinder.withoutEndSlash(directory))/\(file.relativePath)"
        let folder = target.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var free = target
        var number = 0
        while FileManager.default.fileExists(atPath: free) {
            number += 1
            free = "\(target).\(number)"
        }
        try FileManager.default.moveItem(atPath: file.path, toPath: free)
        return free
    }
}
