import ConnectConfig
import FoundationEssentials

extension SupermarketSourceConfig {
    /// The connector's own keys.
    enum Keys {
        static let directory = ConfigKey<String>.string(
            "directory",
            nonEmpty: true,
            importance: .high,
            "Directory to watch, with all its sub-folders. A folder named like a chain (dumps/SuperPharm) tells whose files are in it."
        )
        static let types = ConfigKey<Set<PriceFileType>>(
            "file.types",
            type: .list,
            default: Set(PriceFileType.allCases),
            defaultText: PriceFileType.allCases.map(\.rawValue).joined(separator: ","),
            importance: .medium,
            valid: "price, pricefull, promo, promofull, stores",
            "Kinds of files to import; others stay where they are. Names as in PRICE_FULL_FILE are accepted too."
        ) { text throws(ConfigIssue.Reason) in
            var types: Set<PriceFileType> = []
            for word in text.split(separator: ",").map({ $0.filter { !$0.isWhitespace } }) {
                guard let type = PriceFileType(word: word) else {
                    throw ConfigIssue.Reason("\"\(word)\" is none of price, pricefull, promo, promofull, stores")
                }
                types.insert(type)
            }
            guard !types.isEmpty else { throw ConfigIssue.Reason("Names no kind of file") }
            return types
        }
        static let topic = template(
            "topic.template",
            "{type}-{chain}",
            "Topic of a file's rows. {type} is price, pricefull, promo, promofull or stores, {filetype} the long name (price_full_file), {chain} the chain (super_pharm), {file} the file's name."
        )
        static let key = template(
            "key.template",
            "{chain}",
            "Key of a record. As in topic.template, and {store} or any field of row or header: {chain}-{store}-{itemcode}."
        )
        static let style = ConfigKey<ValueStyle>.choice(
            "value.style",
            default: .flat,
            "flat: header and row fields in one JSON object. row: wrapped as {\"row_index\", \"found_folder\", \"file_name\", \"content\"}."
        )
        static let provenance = ConfigKey<Bool>.boolean(
            "provenance.headers",
            default: true,
            importance: .low,
            "Whether each record carries headers supermarket.file, .row, .type, .chain, .store and .file.timestamp."
        )
        static let control = ConfigKey<Bool>.boolean(
            "control.messages",
            default: false,
            importance: .low,
            "Whether the upstream uploader's messages go along: {\"flush\"} after each batch and {\"file_complete\"} after each file, keyed by file name."
        )
        static let timestampField = ConfigKey<String?>.optionalString(
            "timestamp.field",
            importance: .low,
            "Name of a field added to each value with the time of import, in milliseconds since 1970. The record's own timestamp is the same."
        )
        static let batchRows = ConfigKey<Int>.int(
            "batch.max.rows",
            in: 1...100_000,
            default: 2_000,
            "Most rows handed to Kafka at once; a batch also ends at 2 MiB."
        )
        static let stable = ConfigKey<Duration>.milliseconds(
            "file.stable.ms",
            in: 0...3_600_000,
            default: 2_000,
            "How long size and time of a file must stay the same before it is read: it may still be written."
        )
        static let rescan = ConfigKey<Duration>.milliseconds(
            "rescan.interval.ms",
            in: 100...86_400_000,
            default: 30_000,
            importance: .low,
            "How often the directory is listed without being told of a change, as on network file systems."
        )
        static let cleanup = ConfigKey<Cleanup>.choice(
            "cleanup.policy",
            default: Cleanup.none,
            "What happens to a file after the offset of its last row is committed: none, move (to finished.directory) or delete."
        )
        static let finished = ConfigKey<String?>.optionalString(
            "finished.directory",
            "Where imported files go, keeping their sub-folder. Setting it means cleanup.policy=move."
        )
        static let errors = ConfigKey<String?>.optionalString(
            "errors.directory",
            "Where broken files go, keeping their sub-folder, each with a .reason file beside it. Without it they stay, and are read again when they change or the task restarts."
        )
        static let spool = ConfigKey<String>.string(
            "spool.directory",
            default: FileManager.default.temporaryDirectory.path,
            nonEmpty: true,
            importance: .low,
            "Where the rows of a file too large for memory wait until it is read to its end. Needs about the size of the largest document."
        )
        static let runOnce = ConfigKey<Bool>.boolean(
            "run.once",
            default: false,
            importance: .low,
            "Whether to end after importing what is there, instead of watching."
        )

        static let all: [any AnyConfigKey] = [
            directory, types, topic, key, style, provenance, control, timestampField, batchRows, stable, rescan,
            cleanup, finished, errors, spool, runOnce,
        ]

        private static func template(
            _ name: String,
            _ fallback: String,
            _ documentation: String
        ) -> ConfigKey<KeyTemplate> {
            ConfigKey(
                name,
                type: .string,
                default: KeyTemplate(fallback),
                defaultText: fallback,
                importance: .medium,
                documentation
            ) { text throws(ConfigIssue.Reason) in
                guard !text.isEmpty, let template = KeyTemplate(text) else {
                    throw ConfigIssue.Reason("Not a template: braces must enclose names, as in {chain}")
                }
                return template
            }
        }
    }
}
