import Dispatch
import Glibc
import Synchronization

/// Tells when something is written, moved or removed in one of the watched folders.
///
/// Changes are only a hint to look: what is there is always listed afresh, and a slow rescan catches what the system
/// does not tell (network file systems, too many watches).
public final class DirectoryWatch: Sendable {
    private let descriptor: CInt
    nonisolated(unsafe) private let source: any DispatchSourceRead  // dispatch sources are thread-safe
    private let changed: Flag

    private final class Flag: Sendable {
        let isSet = Atomic(true)
    }

    /// Calls `onChange` on a thread of its own after changes; nil when the system offers no watching.
    public init?(onChange: @escaping @Sendable () -> Void) {
        let descriptor = inotify_init1(CInt(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        let flag = Flag()
        unsafe source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor,
            queue: DispatchQueue(label: "sluice.directory.watch")
        )
        (self.descriptor, changed) = (descriptor, flag)
        unsafe source.setEventHandler {
            // What changed does not matter; the events only have to be taken out of the queue.
            unsafe withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
                while unsafe read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
            }
            flag.isSet.store(true, ordering: .releasing)
            onChange()
        }
        unsafe source.setCancelHandler { close(descriptor) }
        unsafe source.activate()
    }

    deinit { unsafe source.cancel() }

    /// Watches these folders too; watching one twice changes nothing, unless another folder has its name by now.
    public func add(_ folders: [String]) {
        let written = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ATTRIB
        let gone = IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF
        for folder in folders { _ = unsafe inotify_add_watch(descriptor, folder, UInt32(written | gone | IN_ONLYDIR)) }
    }

    /// Whether something changed since the last call; true the first time.
    public func takeChange() -> Bool { changed.isSet.exchange(false, ordering: .acquiringAndReleasing) }
}
