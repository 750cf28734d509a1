import FileAccess
import Glibc

/// Reads the config directory.
enum DirectoryReader {
    private static let mostBytes = 4 << 20

    /// Its `*.json` files; a text when it cannot be read.
    static func look(_ path: String) -> Result<DirectoryLook, DirectoryFailure> {
        do throws(FileError) {
            guard let directory = try FileTree.facts(path) else {
                throw FileError("looking at", path, number: ENOENT)
            }
            var look = DirectoryLook(directory: directory.identity.inode, files: [:])
            for name in try FileTree.names(in: path) where name.hasSuffix(".json") && !name.hasPrefix(".") {
                if let stamp = stamp("\(path)/\(name)") { look.files[name] = stamp }
            }
            return .success(look)
        } catch {
            let reason = "The config directory cannot be read: \(error.reason). Its connectors keep running."
            return .failure(DirectoryFailure(reason: reason))
        }
    }
    /// Follows symbolic links; nil for what is not a file, or is gone meanwhile.
    private static func stamp(_ path: String) -> DirectoryLook.Stamp? {
        guard let facts = try? FileTree.facts(path), facts.isRegular else { return nil }
        return DirectoryLook.Stamp(inode: facts.identity.inode, size: facts.size, modified: facts.modified)
    }
    /// A file's content; nil when it is gone meanwhile or larger than any config.
    static func content(_ path: String) -> [UInt8]? { try? FileTree.read(path, most: mostBytes) }
}

/// Why a directory could not be read.
struct DirectoryFailure: Error { var reason: String }
