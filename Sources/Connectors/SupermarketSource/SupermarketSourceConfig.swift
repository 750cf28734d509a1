import ConnectConfig

/// The parsed config of a supermarket source.
struct SupermarketSourceConfig: Sendable {
    /// What a record's value looks like.
    enum ValueStyle: String, Sendable, CaseIterable {
        /// The row's and header's fields in one object.
        case flat
        /// The upstream uploader's wrapping.
        case row
    }
    /// What happens to a file whose last offset is committed.
    enum Cleanup: String, Sendable, CaseIterable {
        case none, move, delete
    }

    var directory: String
    var types: Set<PriceFileType>
    var topic: KeyTemplate
    var key: KeyTemplate
    var style: ValueStyle
    var provenance: Bool
    var controlMessages: Bool
    var timestampField: String?
    var batchRows: Int
    var stable: Duration
    var rescan: Duration
    var cleanup: Cleanup
    var finishedDirectory: String?
    var errorsDirectory: String?
    var spoolDirectory: String
    var runOnce: Bool
    var share: (index: Int, of: Int)

    /// Reads a connector's or task's raw config.
    ///
    /// Throws every issue at once.
    init(_ raw: [String: String]) throws(ConfigInvalid) {
        var reader = ConfigReader(raw)
        let directory = reader.read(Keys.directory)
        let types = reader.read(Keys.types)
        let topic = reader.read(Keys.topic)
        let key = reader.read(Keys.key)
        let style = reader.read(Keys.style)
        let provenance = reader.read(Keys.provenance)
        let control = reader.read(Keys.control)
        let timestampField = reader.read(Keys.timestampField)
        let batchRows = reader.read(Keys.batchRows)
        let stable = reader.read(Keys.stable)
        let rescan = reader.read(Keys.rescan)
        let cleanup = reader.read(Keys.cleanup)
        let finished = reader.read(Keys.finished)
        let errors = reader.read(Keys.errors)
        let spool = reader.read(Keys.spool)
        let runOnce = reader.read(Keys.runOnce)
        if let topic { reader.require(topic.fields.isEmpty, Keys.topic, "Rows cannot choose the topic") }
        if cleanup == .move {
            reader.require(finished != .some(nil), Keys.finished, "Required when cleanup.policy=move")
        }
        if cleanup == .delete || cleanup == Cleanup.none {
            let isUnused = finished == .some(nil) || raw[Keys.cleanup.name] == nil
            reader.require(isUnused, Keys.finished, "Only used when cleanup.policy=move")
        }
        let share = Self.share(raw)
        self = try reader.finish {
            guard let directory, let types, let topic, let key, let style, let provenance, let control,
                let timestampField, let batchRows, let stable, let rescan, let cleanup, let finished, let errors,
                let spool, let runOnce
            else { return nil }
            return Self(
                directory: FileFinder.withoutEndSlash(directory),
                types: types,
                topic: topic,
                key: key,
                style: style,
                provenance: provenance,
                controlMessages: control,
                timestampField: timestampField,
                batchRows: batchRows,
                stable: stable,
                rescan: rescan,
                cleanup: finished != nil && raw[Keys.cleanup.name] == nil ? .move : cleanup,
                finishedDirectory: finished,
                errorsDirectory: errors,
                spoolDirectory: spool,
                runOnce: runOnce,
                share: share
            )
        }
    }

    private init(
        directory: String,
        types: Set<PriceFileType>,
        topic: KeyTemplate,
        key: KeyTemplate,
        style: ValueStyle,
        provenance: Bool,
        controlMessages: Bool,
        timestampField: String?,
        batchRows: Int,
        stable: Duration,
        rescan: Duration,
        cleanup: Cleanup,
        finishedDirectory: String?,
        errorsDirectory: String?,
        spoolDirectory: String,
        runOnce: Bool,
        share: (index: Int, of: Int)
    ) {
        (self.directory, self.types, self.topic, self.key, self.style) = (directory, types, topic, key, style)
        (self.provenance, self.controlMessages) = (provenance, controlMessages)
        (self.timestampField, self.batchRows, self.stable, self.rescan) = (timestampField, batchRows, stable, rescan)
        (self.cleanup, self.finishedDirectory, self.errorsDirectory) = (cleanup, finishedDirectory, errorsDirectory)
        (self.spoolDirectory, self.runOnce, self.share) = (spoolDirectory, runOnce, share)
    }

    /// One config per task: each takes the files of its share of the stores.
    static func split(_ raw: [String: String], most: Int) -> [[String: String]] {
        (0..<max(1, most)).map { index in
            raw.merging(["task.share": "\(index)/\(max(1, most))"]) { _, own in own }
        }
    }

    private static func share(_ raw: [String: String]) -> (index: Int, of: Int) {
        let parts = (raw["task.share"] ?? "").split(separator: "/").compactMap { Int($0) }
        return parts.count == 2 && parts[1] > 0 ? (parts[0], parts[1]) : (0, 1)
    }
}
