import ConnectConfig
public import ConnectSDK

/// Appends records to a text file, one line each (keys of Kafka Connect's FileStreamSink).
public enum FileStreamSink {
    /// Describes the connector.
    public static let descriptor = SinkDescriptor(
        name: "FileStreamSink",
        aliases: ["org.apache.kafka.connect.file.FileStreamSinkConnector"],
        version: "4.3.1",
        summary: "Appends each record's value as one line to a text file or to standard output.",
        keys: Keys.all,
        takesRawJSON: false,
        check: { raw throws(ConfigInvalid) in _ = try FileStreamSinkConfig(raw) },
        make: { raw, _ throws(ConfigInvalid) in FileStreamSinkTask(try FileStreamSinkConfig(raw)) }
    )

    enum Keys {
        static let file = ConfigKey<String?>.optionalString(
            "file",
            importance: .high,
            "Destination filename. If not specified, the standard output will be used"
        )
        static let all: [any AnyConfigKey] = [file]
    }
}

/// The parsed keys.
struct FileStreamSinkConfig: Sendable {
    let file: String?

    init(_ raw: [String: String]) throws(ConfigInvalid) {
        var reader = ConfigReader(raw)
        let file = reader.read(FileStreamSink.Keys.file)
        self = try reader.finish { file.map { Self(file: $0) } }
    }

    private init(file: String?) { self.file = file?.isEmpty == true ? nil : file }
}
