import ConnectModel
import ConnectSDK
import Logs
import Metrics
import PostgresClient

private let log = Logger("sluice.postgres.sink")

/// The order of calls; rows are made and sent by ``BatchWriter``, offsets kept by ``OffsetsTable``.
///
/// One put is one transaction: offsets first, so that a task that is no longer the owner stops before it writes.
actor PostgresSinkTask: SinkTask {
    /// All that ends with a session.
    struct Connection {
        let session: PostgresSession
        let writer: BatchWriter
        let statements: StatementRunner?
    }
    let config: PostgresSinkConfig
    private let id: TaskID
    private var connection: Connection?
    var offsets: OffsetsTable?
    private var hasStarted = false
    /// Conflicts and unknown errors since the last success; outages do not count.
    private var conflicts = 0
    let rowsWritten: Counter
    let recordsSkipped: Counter
    let transactions: Counter

    init(_ config: PostgresSinkConfig, _ context: any SinkTaskContext) {
        (self.config, id) = (config, context.id)
        offsets = config.isExactlyOnce ? OffsetsTable(config.offsetsTable, context.id, epoch: context.epoch) : nil
        let labels = ["connector", "task"], connector = context.id.connector, task = "\(context.id.task)"
        let metrics = context.metrics
        rowsWritten = metrics.counter(
            "connect_postgres_sink_rows_total",
            "Rows that PostgreSQL took: inserted, updated or deleted.",
            labels: labels
        )(connector, task)
        recordsSkipped = metrics.counter(
            "connect_postgres_sink_records_skipped_total",
            "Records that were read again but were stored already.",
            labels: labels
        )(connector, task)
        transactions = metrics.counter(
            "connect_postgres_sink_transactions_total",
            "Transactions committed.",
            labels: labels
        )(connector, task)
    }

    func start() async throws(TaskFailure) { _ = try connected() }

    func open(_ partitions: [TopicPartition]) async throws(TaskFailure) -> [TopicPartition: Int64] {
        guard offsets != nil else { return [:] }
        let connection = try connected()
        let doing = "claiming \(partitions.count) partitions in table \"\(config.offsetsTable)\""
        let refused = try asking(doing) { () throws(PostgresError) in
            try offsets?.claim(partitions, connection.session) ?? []
        }
        guard refused.isEmpty else { throw fenced(doing, refused) }
        let claims = offsets?.claims ?? [:]
        return Dictionary(
            partitions.compactMap { partition in claims[partition]?.next.map { (partition, $0) } }
        ) { first, _ in first }
    }

    func put(_ batch: SinkBatch) async throws(TaskFailure) {
        guard !batch.isEmpty else { return }
        try write(BatchReader(batch, replacesNullWithDefault: config.replacesNullWithDefault))
        conflicts = 0
    }

    func close(_ partitions: [TopicPartition]) async { offsets?.release(partitions) }

    func stop() async { disconnect() }
}

// The session.
extension PostgresSinkTask {
    /// The open session, or a new one: with the offsets as they are stored now.
    func connected() throws(TaskFailure) -> Connection {
        if let connection, connection.session.isOpen { return connection }
        connection = nil
        let doing = "connecting to \(config.settings)"
        let session = try asking(doing) { () throws(PostgresError) in try PostgresSession(config.settings) }
        if !hasStarted { try prepareDatabase(session) }
        let lost = try asking("reading the offsets in table \"\(config.offsetsTable)\"") { () throws(PostgresError) in
            try offsets?.refresh(session) ?? []
        }
        guard lost.isEmpty else { throw fenced("reading the offsets again", lost) }
        let statements = try asking("preparing the statements") { () throws(PostgresError) in
            config.statements.isEmpty ? nil : try StatementRunner(session, config.statements)
        }
        let made = Connection(session: session, writer: BatchWriter(session, config), statements: statements)
        connection = made
        hasStarted = true
        log.debug("Session opened", ["connector": "\(id.connector)", "server": "\(config.settings)"])
        return made
    }

    func disconnect() {
        connection?.session.close()
        connection = nil
    }

    private func prepareDatabase(_ session: PostgresSession) throws(TaskFailure) {
        if let offsets {
            let name = config.offsetsTable
            let doing = "creating table \"\(name)\""
            let isThere = try asking(doing) { () throws(PostgresError) in try session.table(name) != nil }
            if !isThere {
                do throws(PostgresError) { try session.run(offsets.create) } catch {
                    // Tasks that start together all want to make it.
                    if error.sqlState == "42501" {
                        throw .config(
                            "exactly.once",
                            doing: doing,
                            because: """
                                \(error); create the table as a user with the right to (README), grant the right, or set \
                                exactly.once=false
                                """
                        )
                    }
                    guard ["23505", "42P07", "42710"].contains(error.sqlState) else { throw failed(error, doing) }
                }
            }
        }
        if let script = config.initSQL {
            _ = try asking("running init.sql") { () throws(PostgresError) in
                try session.transaction { () throws(PostgresError) in try session.run(script) }
            }
        }
    }

    /// Asks the server; its errors become the task's.
    func asking<R>(_ doing: String, _ body: () throws(PostgresError) -> R) throws(TaskFailure) -> R {
        do throws(PostgresError) { return try body() } catch { throw failed(error, doing) }
    }

    func failed(_ error: PostgresError, _ doing: String) -> TaskFailure {
        if error.isConnectionLost { disconnect() }
        if error.kind != .outage { conflicts += 1 }
        return .from(error, doing: doing, attempt: conflicts, config)
    }

    func fenced(_ doing: String, _ partitions: [TopicPartition]) -> TaskFailure {
        disconnect()
        let names = partitions.map(\.description).joined(separator: ", ")
        return .fatal(
            doing: doing,
            because: """
                \(names): another task owns the offsets in table "\(config.offsetsTable)" now, or they were moved back; a \
                restart reads on from the stored offsets. Should the consumer group have been deleted, delete the rows of \
                connector "\(id.connector)" there as well
                """
        )
    }
}
