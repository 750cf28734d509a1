import ConnectModel
import ConnectSDK
import PostgresClient

/// The offsets of a connector beside its data: one row per partition, moved in the transaction of the rows.
///
/// A task claims its partitions' rows when it opens them; a claim that another task has renewed since stops the older one
/// at its next transaction, before it has written anything.
struct OffsetsTable: Sendable {
    let name: PostgresName
    let connector: String
    let epoch: Int64

    /// What a task knows of a claimed partition.
    struct Claim: Sendable, Hashable {
        var number: Int64
        /// The next offset to write; nil before the first one.
        var next: Int64?
    }
    private(set) var claims: [TopicPartition: Claim] = [:]

    init(_ name: PostgresName, _ id: TaskID, epoch: Int64) {
        (self.name, connector, self.epoch) = (name, id.connector, epoch)
    }

    var create: String {
        """
        CREATE TABLE IF NOT EXISTS \(name.quoted) (
            connector text NOT NULL, topic text NOT NULL, partition int NOT NULL,
            next_offset bigint, epoch bigint NOT NULL, claim bigint NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (connector, topic, partition))
        """
    }

    /// Claims partitions and reads their offsets; a later owner's epoch refuses ours.
    mutating func claim(
        _ partitions: [TopicPartition],
        _ session: PostgresSession
    ) throws(PostgresError) -> [TopicPartition] {
        guard !partitions.isEmpty else { return [] }
        let rows = partitions.sorted().map { partition in
            "(\(quotedLiteral(connector)), \(quotedLiteral(partition.topic)), \(partition.partition), \(epoch), 1)"
        }
        let results = try session.run(
            """
            INSERT INTO \(name.quoted) AS o (connector, topic, partition, epoch, claim)
            VALUES \(rows.joined(separator: ", "))
            ON CONFLICT (connector, topic, partition) DO UPDATE
            SET claim = o.claim + 1, epoch = EXCLUDED.epoch, updated_at = now() WHERE o.epoch <= EXCLUDED.epoch
            RETURNING topic, partition, next_offset, claim
            """
        )
        var refused = Set(partitions)
        for (partition, claim) in read(results.last) {
            claims[partition] = claim
            refused.remove(partition)
        }
        return refused.sorted()
    }

    /// Gives partitions up.
    mutating func release(_ partitions: [TopicPartition]) { for partition in partitions { claims[partition] = nil } }

    /// Reads the claimed rows again after the session was lost; gives the partitions that are no longer ours or have gone back.
    mutating func refresh(_ session: PostgresSession) throws(PostgresError) -> [TopicPartition] {
        guard !claims.isEmpty else { return [] }
        let result = try session.execute(
            "SELECT topic, partition, next_offset, claim FROM \(name.quoted) WHERE connector = $1",
            [connector]
        )
        let stored = Dictionary(read(result)) { $1 }
        var lost: [TopicPartition] = []
        for (partition, claim) in claims {
            // The commit whose answer got lost may have happened: further on is right, back is not.
            guard let now = stored[partition], now.number == claim.number, (now.next ?? -1) >= (claim.next ?? -1) else {
                lost.append(partition)
                continue
            }
            claims[partition] = now
        }
        return lost.sorted()
    }

    /// How a batch moves the offsets.
    struct Move: Sendable {
        var next: [TopicPartition: Int64] = [:]
        /// Records that are stored already.
        var excluded: [Bool] = []
        /// Partitions that were never claimed.
        var unclaimed: [TopicPartition] = []
    }

    /// Which records of a batch are new, and where its partitions stand after it.
    func move(_ batch: SinkBatch) -> Move {
        var move = Move()
        let known = batch.partitions.map { claims[$0] }
        var last = batch.partitions.map { _ in Int64(-1) }
        for (index, origin) in batch.origins.enumerated() {
            if let next = known[origin.partition]?.next, origin.offset < next {
                if move.excluded.isEmpty { move.excluded = Array(repeating: false, count: batch.count) }
                move.excluded[index] = true
            } else {
                last[origin.partition] = max(last[origin.partition], origin.offset)
            }
        }
        for (index, partition) in batch.partitions.enumerated() where last[index] >= 0 {
            if known[index] == nil { move.unclaimed.append(partition) }
            move.next[partition] = last[index] + 1
        }
        return move
    }

    /// Moves the offsets within the transaction; false when a row is no longer ours.
    func apply(_ move: Move, _ session: PostgresSession) throws(PostgresError) -> Bool {
        let rows = move.next.sorted { $0.key < $1.key }.map { partition, next in
            let claim = claims[partition]
            let old = claim?.next.map { "\($0)" } ?? "NULL"
            return """
                (\(quotedLiteral(partition.topic)), \(partition.partition), \(claim?.number ?? 0)::bigint, \
                \(old)::bigint, \(next)::bigint)
                """
        }
        let result = try session.run(
            """
            BEGIN; UPDATE \(name.quoted) AS o SET next_offset = v.next, updated_at = now()
            FROM (VALUES \(rows.joined(separator: ", "))) AS v (topic, partition, claim, old, next)
            WHERE o.connector = \(quotedLiteral(connector)) AND o.topic = v.topic AND o.partition = v.partition
            AND o.claim = v.claim AND o.next_offset IS NOT DISTINCT FROM v.old
            """
        )
        return result.last?.affected == rows.count
    }

    /// Notes a move that was committed.
    mutating func committed(_ move: Move) {
        for (partition, next) in move.next { claims[partition]?.next = next }
    }

    private func read(_ result: PostgresResult?) -> [(TopicPartition, Claim)] {
        (result?.rows ?? []).compactMap { row in
            guard let topic = row[0], let partition = row[1].flatMap({ Int32($0) }),
                let number = row[3].flatMap({ Int64($0) })
            else { return nil }
            return (TopicPartition(topic, partition), Claim(number: number, next: row[2].flatMap { Int64($0) }))
        }
    }
}
