import FoundationEssentials

/// Lists what there is to import, oldest file time first, and knows which files are still being written.
struct FileFinder {
    private let directory: String
    private let excluded: [String]
    private let stable: Duration
    private let types: Set<PriceFileType>
    private let share: (index: Int, of: Int)
    /// When each young file was first seen as it is.
    private var sightings: [String: (size: Int, modified: Int64, since: ContinuousClock.Instant)] = [:]

    init(_ config: SupermarketSourceConfig) {
        directory = config.directory
        excluded = [config.errorsDirectory, config.finishedDirectory].compactMap(\.self).map(Self.withoutEndSlash)
        (stable, types, share) = (config.stable, config.types, config.share)
    }

    /// What a scan found.
    struct Listing {
        var ready: [FoundFile] = []
        /// How long until the youngest file may be complete; nil when there is none.
        var wait: Duration?
        /// All folders, for watching.
        var folders: [String] = []
        /// Files that are no price files by their names.
        var ignored = 0
    }

    /// Reads the directory tree.
    ///
    /// Nil when the directory cannot be read.
    mutating func scan(now: Int64, clock: ContinuousClock.Instant) -> Listing? {
        var listing = Listing()
        var seen: [String: (size: Int, modified: Int64, since: ContinuousClock.Instant)] = [:]
        guard visit("", &listing, &seen, now, clock) else { return nil }
        sightings = seen
        listing.ready.sort { ($0.name.order, $0.relativePath) < ($1.name.order, $1.relativePath) }
        return listing
    }

    private func visit(
        _ folder: String,
        _ listing: inout Listing,
        _ seen: inout [String: (size: Int, modified: Int64, since: ContinuousClock.Instant)],
        _ now: Int64,
        _ clock: ContinuousClock.Instant
    ) -> Bool {
        let path = folder.isEmpty ? directory : "\(directory)/\(folder)"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return false }
        listing.folders.append(path)
        for name in names where !name.hasPrefix(".") {
            let relative = folder.isEmpty ? name : "\(folder)/\(name)"
            let full = "\(directory)/\(relative)"
            guard let attributes = FileAttributes(path: full) else {
                var isFolder = false
                let exists = FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
                if exists, isFolder, !excluded.contains(full) { _ = visit(relative, &listing, &seen, now, clock) }
                continue
            }
            let file = FoundFile(
                directory: directory,
                relativePath: relative,
                size: attributes.size,
                modified: attributes.modified
            )
            guard isWanted(file) else {
                listing.ignored += 1
                continue
            }
            guard share.of <= 1 || file.share % share.of == share.index else { continue }
            if let rest = restOfWait(file, now, clock, &seen) {
                listing.wait = min(listing.wait ?? rest, rest)
            } else {
                listing.ready.append(file)
            }
        }
        return true
    }

    /// How much longer a young file has to stay as it is; nil when it is old enough.
    private func restOfWait(
        _ file: FoundFile,
        _ now: Int64,
        _ clock: ContinuousClock.Instant,
        _ seen: inout [String: (size: Int, modified: Int64, since: ContinuousClock.Instant)]
    ) -> Duration? {
        let age = Duration.milliseconds(now - file.modified)
        if age >= stable { return nil }
        var since = clock
        if let before = sightings[file.relativePath], before.size == file.size, before.modified == file.modified {
            since = before.since
        }
        seen[file.relativePath] = (file.size, file.modified, since)
        let rest = stable - max(age, clock - since)
        return rest > .zero ? rest : nil
    }

    private func isWanted(_ file: FoundFile) -> Bool {
        if let type = file.name.type, !types.contains(type) { return false }
        let lower = file.fileName.lowercased()
        let unfinished = [".tmp", ".part", ".partial", ".crdownload", ".filepart", ".reason", ".download"]
        if unfinished.contains(where: { lower.hasSuffix($0) }) { return false }
        if file.name.isPublished { return true }
        let stem = [".gz", ".zip", ".zst"].first { lower.hasSuffix($0) }.map { lower.dropLast($0.count) } ?? lower[...]
        return stem.hasSuffix(".xml") || (file.name.type != nil && !stem.contains("."))
    }

    static func withoutEndSlash(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? withoutEndSlash(String(path.dropLast())) : path
    }
}
