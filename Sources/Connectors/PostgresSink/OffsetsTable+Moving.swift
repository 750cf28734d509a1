import ConnectConfig
import ConnectModel
import ConnectSDK
import PostgresClient

extension OffsetsTable {
    /// Moves the offsets of a stopped connector; every claim is renewed, so that a task that is still out there is fenced.
    ///
    /// A connector whose table does not exist has never written: the group's offsets are all there are.
    static func move(
        _ change: SinkOffsetsChange,
        of connector: String,
        _ raw: [String: String]
    ) throws(OffsetsError) {
        let config: PostgresSinkConfig
        do throws(ConfigInvalid) { config = try PostgresSinkConfig(raw) } catch { throw .refused("\(error)") }
        guard config.isExactlyOnce else { return }
        do throws(PostgresError) {
            let session = try PostgresSession(config.settings)
            defer { session.close() }
            guard try session.table(config.offsetsTable) != nil else { return }
            try session.run(statement(change, of: connector, in: config.offsetsTable))
        } catch {
            throw .failed("moving the offsets in table \"\(config.offsetsTable)\" at \(config.settings): \(error)")
        }
    }

    private static func statement(_ change: SinkOffsetsChange, of connector: String, in table: PostgresName) -> String {
        let moved = "claim = o.claim + 1, updated_at = now()"
        guard case .set(let offsets) = change else {
            return "UPDATE \(table.quoted) AS o SET next_offset = NULL, \(moved) "
                + "WHERE o.connector = \(quotedLiteral(connector))"
        }
        let rows = offsets.sorted { $0.key < $1.key }.map { partition, offset in
            "(\(quotedLiteral(connector)), \(quotedLiteral(partition.topic)), \(partition.partition), "
                + "\(offset.map { "\($0)" } ?? "NULL")::bigint, 0, 1)"
        }
        return """
            INSERT INTO \(table.quoted) AS o (connector, topic, partition, next_offset, epoch, claim)
            VALUES \(rows.joined(separator: ", "))
            ON CONFLICT (connector, topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset, \(moved)
            """
    }
}
