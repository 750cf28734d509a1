internal import Blocking
internal import CRDKafka
internal import ConnectModel

/// Asking whether the brokers can be reached.
enum ConnectionCheck {
    static func run(_ handle: RDKafkaHandle, servers: String, timeout: Duration) async throws(KafkaClientError) {
        try await TaskThread(label: "kafka.check").run { () throws(KafkaClientError) in
            var made: UnsafePointer<rd_kafka_metadata>?
            let code = unsafe handle.withPointer { unsafe rd_kafka_metadata($0, 0, nil, &made, timeout.milliseconds) }
            if let metadata = unsafe made { unsafe rd_kafka_metadata_destroy(metadata) }
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
            let text = unsafe String(cString: rd_kafka_err2str(code))
            throw KafkaClientError(
                code: .allBrokersDown,
                reason: "connecting to \(servers) within \(timeout): \(text); check bootstrap.servers, the network and "
                    + "that the listener is advertised under a name this machine can resolve",
                isRetriable: true,
                number: code.rawValue
            )
        }
    }
}

extension Producer {
    /// Waits until a broker answers; throws `allBrokersDown`, naming the servers, when none does in time.
    public func checkConnection(timeout: Duration = .seconds(5)) async throws(KafkaClientError) {
        if core.isClosed { throw .closed("connecting") }
        try await ConnectionCheck.run(core.handle, servers: core.servers, timeout: timeout)
    }
}

extension Consumer {
    /// Waits until a broker answers; throws `allBrokersDown`, naming the servers, when none does in time.
    public func checkConnection(timeout: Duration = .seconds(5)) async throws(KafkaClientError) {
        try checkOpen("connecting")
        try await ConnectionCheck.run(handle, servers: settings.bootstrapServers, timeout: timeout)
    }
}

extension Admin {
    /// Waits until a broker answers; throws `allBrokersDown`, naming the servers, when none does in time.
    public func checkConnection(timeout: Duration = .seconds(5)) async throws(KafkaClientError) {
        try await ConnectionCheck.run(handle, servers: servers, timeout: timeout)
    }
}
