import Glibc

/// Names in the file system: listing, renaming, removing, and making such changes last.
public enum FileTree {
    /// What lies at a path, following links; nil when nothing does.
    public static func facts(_ path: String) throws(FileError) -> FileFacts? {
        var status = stat()
        if unsafe stat(path, &status) == 0 { return FileFacts(status) }
        guard errno == ENOENT || errno == ENOTDIR else { throw FileError("looking at", path) }
        return nil
    }

    /// The names in a directory, sorted, without `.` and `..`.
    public static func names(in directory: String) throws(FileError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw FileError("listing", directory) }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a directory and those above it; fine when it is there.
    public static func makeDirectory(_ path: String) throws(FileError) {
        if unsafe mkdir(path, 0o777) == 0 { return }
        let refused = FileError("making directory", path)
        if refused.isExisting, try facts(path)?.isDirectory == true { return }
        guard refused.isMissing, let slash = path.lastIndex(of: "/"), slash > path.startIndex else { throw refused }
        try makeDirectory(String(path[..<slash]))
        guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else { throw FileError("making directory", path) }
    }

    /// Gives a file another name in one step; a file that has it already is replaced.
    public static func rename(_ path: String, to other: String) throws(FileError) {
        guard unsafe Glibc.rename(path, other) == 0 else { throw FileError("renaming to \(other) the file", path) }
    }

    /// Removes a file; fine when it is not there.
    public static func remove(_ path: String) throws(FileError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw FileError("removing", path) }
    }

    /// Returns once the names in a directory (made, renamed, removed) are on the disk.
    public static func sync(directory: String) throws(FileError) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("opening directory", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileError("bringing to the disk", directory) }
    }

    /// All bytes of a file, at most `most`; throws `EFBIG` for a larger one.
    public static func read(_ path: String, most: Int = 64 << 20) throws(FileError) -> [UInt8] {
        let file = try OpenFile(path, .read)
        let size = Int(try file.facts().size)
        guard size <= most else { throw FileError("reading", path, number: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: max(size, 4096))
        var count = 0
        while let got = try file.read(into: &bytes, count..<bytes.count), got > 0 {
            count += got
            guard count <= most else { throw FileError("reading", path, number: EFBIG) }
            if count == bytes.count { bytes += [UInt8](repeating: 0, count: count) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
