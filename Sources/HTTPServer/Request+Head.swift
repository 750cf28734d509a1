internal import CMicroHTTPD

/// Collects the pairs that libmicrohttpd lists.
private final class Pairs {
    var all: [(name: String, value: String)] = []
}

extension Request {
    /// Reads the head of a connection's request; nil when path or query are not percent-encoded UTF-8.
    init?(_ connection: OpaquePointer, _ method: String, _ url: String) {
        guard let path = segments(of: url) else { return nil }
        var query: [(name: String, value: String)] = []
        for pair in unsafe Self.pairs(connection, .GET_ARGUMENT_KIND) {
            guard let name = percentDecoded(pair.name.utf8), let value = percentDecoded(pair.value.utf8) else {
                return nil
            }
            query.append((name, value))
        }
        var headers = Headers()
        for pair in unsafe Self.pairs(connection, .HEADER_KIND) { headers.add(pair.name, pair.value) }
        self.init(Method(rawValue: method), path: path, query: query, headers: headers)
        remoteAddress = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer -> String? in
            guard let start = buffer.baseAddress else { return nil }
            unsafe mhd_client_name(connection, start, buffer.count)
            let name = unsafe String(cString: start)
            // A client of IPv4 on a socket of IPv6.
            return name.isEmpty ? nil : name.hasPrefix("::ffff:") ? String(name.dropFirst(7)) : name
        }
    }

    private static func pairs(_ connection: OpaquePointer, _ kind: MHD_ValueKind) -> [(name: String, value: String)] {
        let pairs = Pairs()
        withExtendedLifetime(pairs) {
            _ = unsafe MHD_get_connection_values_n(connection, kind, onPair, Unmanaged.passUnretained(pairs).toOpaque())
        }
        return pairs.all
    }
}

private func onPair(
    context: UnsafeMutableRawPointer?,
    kind: MHD_ValueKind,
    name: UnsafePointer<CChar>?,
    nameSize: Int,
    value: UnsafePointer<CChar>?,
    valueSize: Int
) -> MHD_Result {
    guard let context = unsafe context else { return .NO }
    let pairs = unsafe Unmanaged<Pairs>.fromOpaque(context).takeUnretainedValue()
    let key = unsafe String(decoding: UnsafeRawBufferPointer(start: name, count: nameSize), as: UTF8.self)
    let text = unsafe String(decoding: UnsafeRawBufferPointer(start: value, count: valueSize), as: UTF8.self)
    pairs.all.append((key, text))
    return .YES
}
