import Glibc

/// A port that takes connections and never answers.
final class SilentListener {
    private let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isReady = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe bind(descriptor, address, length) == 0, listen(descriptor, 8) == 0 else { return false }
                return unsafe getsockname(descriptor, address, &length) == 0
            }
        }
        struct NoSocket: Error {}
        guard isReady else { throw NoSocket() }
        port = Int(UInt16(bigEndian: address.sin_port))
    }
    deinit { close(descriptor) }
}
