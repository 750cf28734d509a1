import ConnectConfig
public import ConnectSDK

/// Reads a text file, line by line, into a topic, and follows its growth (keys of Kafka Connect's FileStreamSource).
public enum FileStreamSource {
    /// Describes the connector.
    public static let descriptor = SourceDescriptor(
        name: "FileStreamSource",
        aliases: ["org.apache.kafka.connect.file.FileStreamSourceConnector"],
        version: "4.3.1",
        summary: "Reads a text file or standard input, one record per line, and follows its growth.",
        keys: Keys.all,
        check: { raw throws(ConfigInvalid) in _ = try FileStreamSourceConfig(raw) },
        make: { raw, context throws(ConfigInvalid) in
            FileStreamSourceTask(try FileStreamSourceConfig(raw), context)
        },
        checkOffsets: { raw, positions throws(OffsetsError) in try check(positions, raw) }
    )

    /// Kafka Connect's rules and words; whether the file is that long shows when the task starts.
    private static func check(_ positions: [SourcePosition], _ raw: [String: String]) throws(OffsetsError) {
        guard raw[Keys.file.name]?.isEmpty == false else {
            throw .refused(
                "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for "
                    + "input and offsets are not tracked."
            )
        }
        // Garbage may always be removed.
        for case (let partition, let offset?) in positions.map({ ($0.partition, $0.offset) }) {
            guard let position = offset["position"] else {
                throw .refused("Offset objects should either be null or contain the key 'position'")
            }
            guard let number = position.int else {
                throw .refused("The value for the 'position' key in the offset is expected to be a Long value")
            }
            guard number >= 0 else {
                throw .refused("The value for the 'position' key in the offset should be a non-negative value")
            }
            guard partition["filename"] != nil else {
                throw .refused("Partition objects should contain the key 'filename'")
            }
        }
    }

    enum Keys {
        static let file = ConfigKey<String?>.optionalString(
            "file",
            importance: .high,
            "Source filename. If not specified, the standard input will be used"
        )
        static let topic = ConfigKey<String>.string(
            "topic",
            nonEmpty: true,
            importance: .high,
            "The topic to publish data to"
        )
        static let batchSize = ConfigKey<Int>.int(
            "batch.size",
            default: 2_000,
            importance: .low,
            "The maximum number of records the source task can read from the file each time it is polled"
        )
        static let all: [any AnyConfigKey] = [file, topic, batchSize]
    }
}

/// The parsed keys.
struct FileStreamSourceConfig: Sendable {
    let file: String?
    let topic: String
    let batchSize: Int

    init(_ raw: [String: String]) throws(ConfigInvalid) {
        var reader = ConfigReader(raw)
        let file = reader.read(FileStreamSource.Keys.file)
        let topic = reader.read(FileStreamSource.Keys.topic)
        let batchSize = reader.read(FileStreamSource.Keys.batchSize)
        self = try reader.finish {
            guard let file, let topic, let batchSize else { return nil }
            return Self(file: file, topic: topic, batchSize: batchSize)
        }
    }

    private init(file: String?, topic: String, batchSize: Int) {
        // As in Connect, a batch of no or fewer records is a batch of one.
        // An empty name is what a template without a value leaves behind; Connect takes it for "none" as well.
        (self.file, self.topic, self.batchSize) = (file?.isEmpty == true ? nil : file, topic, max(1, batchSize))
    }
}
