import Compression
import XMLReading

/// Why a file gives no rows, in words for its `.reason` file, the log and a metric.
struct ImportFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// Kinds for the metric's label; bounded.
    enum Kind: String, Sendable, Hashable, CaseIterable {
        case truncated, corrupt, unsupported, malformed, encoding, notPrices = "not_prices", limit, unreadable
        /// Not the file's fault: disk full, no room for temporary files.
        case spool
        /// The file changed while it was read: it is read again later.
        case changed
    }

    let kind: Kind
    let reason: String

    init(_ kind: Kind, _ reason: String) { (self.kind, self.reason) = (kind, reason) }

    init(_ error: CompressionError) {
        switch error.code {
        case .truncated: kind = .truncated
        case .corrupt: kind = .corrupt
        case .unsupported: kind = .unsupported
        default: kind = .unreadable
        }
        reason = error.description
    }

    init(_ error: XMLReadingError) {
        switch error.code {
        case .truncated: kind = .truncated
        case .invalidBytes, .unsupportedEncoding: kind = .encoding
        case .tooLong: kind = .limit
        case .html: kind = .notPrices
        case .library: kind = .unreadable
        default: kind = .malformed
        }
        reason =
            error.code == .html
            ? "the file is an HTML page (an error page of the portal), not prices" : error.description
    }

    /// The file stays and is tried again: nothing is wrong with its content as far as is known.
    var isPassing: Bool { [.unreadable, .spool, .changed].contains(kind) }

    var description: String { reason }
}
