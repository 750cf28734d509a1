import Synchronization

/// The advertised address, known once the sockets are open.
final class BaseURL: Sendable {
    private let value = Mutex("")
    var text: String { value.withLock { $0 } }
    func set(_ text: String) { value.withLock { $0 = text } }
}
