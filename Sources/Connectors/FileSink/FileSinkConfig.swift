import Compression
import ConnectConfig

/// The parsed keys.
struct FileSinkConfig: Sendable {
    enum Format: String, Sendable, CaseIterable { case json, text }
    enum Compression: String, Sendable, CaseIterable {
        case none, gzip, zstd
        var format: StreamCompressor.Format {
            switch self {
            case .none: .none
            case .gzip: .gzip
            case .zstd: .zstd
            }
        }
    }
    enum OnNull: String, Sendable, CaseIterable { case write, ignore }

    let directory: String
    let format: Format
    let compression: StreamCompressor.Format
    let rotateRecords: Int
    let rotateBytes: Int
    let rotateInterval: Duration
    let onNull: OnNull

    init(_ raw: [String: String]) throws(ConfigInvalid) {
        typealias Keys = FileSink.Keys
        var reader = ConfigReader(raw)
        let directory = reader.read(Keys.directory)
        let format = reader.read(Keys.format)
        let compression = reader.read(Keys.compression)
        let rotateRecords = reader.read(Keys.rotateRecords)
        let rotateBytes = reader.read(Keys.rotateBytes)
        let rotateInterval = reader.read(Keys.rotateInterval)
        let onNull = reader.read(Keys.onNull)
        self = try reader.finish {
            guard let directory, let format, let compression, let rotateRecords, let rotateBytes, let rotateInterval,
                let onNull
            else { return nil }
            return Self(directory, format, compression.format, rotateRecords, rotateBytes, rotateInterval, onNull)
        }
    }

    private init(
        _ directory: String,
        _ format: Format,
        _ compression: StreamCompressor.Format,
        _ rotateRecords: Int,
        _ rotateBytes: Int,
        _ rotateInterval: Duration,
        _ onNull: OnNull
    ) {
        self.directory = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        (self.format, self.compression, self.onNull) = (format, compression, onNull)
        (self.rotateRecords, self.rotateBytes, self.rotateInterval) = (rotateRecords, rotateBytes, rotateInterval)
    }
}
