import Compression
import ConnectConfig
public import ConnectSDK

/// Writes topics into a directory of JSON-lines files that are complete, or not there: exactly once.
public enum FileSink {
    /// Describes the connector.
    public static let descriptor = SinkDescriptor(
        name: "FileSink",
        version: "1.0",
        summary: "Writes each partition into files of JSON lines, atomically and exactly once, compressed if wanted.",
        keys: Keys.all,
        check: { raw throws(ConfigInvalid) in _ = try FileSinkConfig(raw) },
        make: { raw, context throws(ConfigInvalid) in FileSinkTask(try FileSinkConfig(raw), context) },
        moveOffsets: { raw, _, change throws(OffsetsError) in try OffsetsMove.run(change, raw) }
    )

    enum Keys {
        static let directory = ConfigKey<String>.string(
            "directory",
            nonEmpty: true,
            importance: .high,
            "The directory the files are written into; made when it is not there. All tasks of the connector share it."
        )
        static let format = ConfigKey<FileSinkConfig.Format>.choice(
            "format",
            default: .json,
            importance: .medium,
            "json writes every value as one line of JSON: a JSON value as it came, text as a JSON string. "
                + "text writes what the converter gives as text, as it is."
        )
        static let compression = ConfigKey<FileSinkConfig.Compression>.choice(
            "compression",
            default: FileSinkConfig.Compression.none,
            importance: .medium,
            "How the files are compressed; gzip adds .gz to their names, zstd adds .zst."
        )
        static let rotateRecords = ConfigKey<Int>.int(
            "rotate.records",
            in: 1...Int(Int32.max),
            default: 1_000_000,
            importance: .medium,
            "A file is completed after this many records."
        )
        static let rotateBytes = ConfigKey<Int>.int(
            "rotate.bytes",
            in: 1...Int(Int64.max),
            type: .long,
            default: 128 << 20,
            importance: .medium,
            "A file is completed after this many bytes, counted before compression."
        )
        static let rotateInterval = ConfigKey<Duration>.milliseconds(
            "rotate.interval.ms",
            in: 1...Int(Int64.max),
            default: 60_000,
            importance: .medium,
            "A file is completed this long after its first record, so that readers and committed offsets are never "
                + "further behind than that."
        )
        static let onNull = ConfigKey<FileSinkConfig.OnNull>.choice(
            "behavior.on.null.values",
            default: .write,
            importance: .low,
            "What a record without value (a tombstone) becomes: write makes it a line with null, ignore leaves it out."
        )
        static let all: [any AnyConfigKey] = [
            directory, format, compression, rotateRecords, rotateBytes, rotateInterval, onNull,
        ]
    }
}
