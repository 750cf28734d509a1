import Dispatch
import Synchronization

/// Inflates a few pieces ahead on a thread of its own, while the reader works on those before.
///
/// Inflating and parsing take about the same time; side by side they use two cores. Memory stays constant: the thread
/// waits when all pieces are full.
final class ReadAhead: ByteSource {
    private static let depth = 4

    /// What both threads see; pieces change hands through the two semaphores.
    @safe private final class Shared: @unchecked Sendable {
        let source: any ByteSource  // touched by the inflating thread only
        let memory: [UnsafeMutableRawBufferPointer]
        /// How much of each piece is filled; each number changes hands with its piece.
        let counts: UnsafeMutablePointer<Int>
        var failure: CompressionError?
        let isCancelled = Atomic(false)
        // Both start at zero, as libdispatch wants of semaphores that may die while someone could wait.
        let free = DispatchSemaphore(value: 0)
        let filled = DispatchSemaphore(value: 0)

        init(_ source: any ByteSource) {
            self.source = source
            unsafe memory = (0..<depth).map { _ in .allocate(byteCount: ByteChunk.size, alignment: 16) }
            unsafe counts = .allocate(capacity: depth)
            unsafe counts.initialize(repeating: 0, count: depth)
            for _ in 0..<depth { free.signal() }
        }

        deinit {
            unsafe memory.forEach { unsafe $0.deallocate() }
            unsafe counts.deallocate()
        }

        /// Fills piece after piece; an empty one is the end.
        func run() {
            var index = 0
            while true {
                free.wait()
                if isCancelled.load(ordering: .acquiring) { return }
                let isMore = fill(index)
                filled.signal()
                if !isMore { return }
                index = (index + 1) % depth
            }
        }

        private func fill(_ index: Int) -> Bool {
            unsafe counts[index] = 0
            do throws(CompressionError) {
                guard try source.advance() else { return false }
            } catch {
                failure = error
                return false
            }
            source.withChunk { bytes in
                unsafe bytes.withUnsafeBytes { unsafe memory[index].copyMemory(from: $0) }
                unsafe counts[index] = bytes.byteCount
            }
            return true
        }
    }

    private let shared: Shared
    private var index = -1
    private var isAtEnd = false

    init(_ source: any ByteSource) {
        let shared = Shared(source)
        self.shared = shared
        DispatchQueue(label: "sluice.inflate").async { shared.run() }
    }

    deinit {
        shared.isCancelled.store(true, ordering: .releasing)
        shared.free.signal()
    }

    func advance() throws(CompressionError) -> Bool {
        if isAtEnd { return false }
        if index >= 0 { shared.free.signal() }
        index = (index + 1) % Self.depth
        shared.filled.wait()
        if unsafe shared.counts[index] > 0 { return true }
        isAtEnd = true
        if let failure = shared.failure { throw failure }
        return false
    }

    func withChunk<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        guard index >= 0, !isAtEnd else { return try body(RawSpan()) }
        let piece = unsafe UnsafeRawBufferPointer(rebasing: shared.memory[index][..<shared.counts[index]])
        return try unsafe body(RawSpan(_unsafeBytes: piece))
    }
}
