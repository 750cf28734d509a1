internal import CRDKafka

/// librdkafka's configuration object: freed on every throwing path, or handed to C exactly once.
@safe struct RDKafkaConf: ~Copyable {
    private let pointer: OpaquePointer

    init() { unsafe pointer = rd_kafka_conf_new() }

    deinit { unsafe rd_kafka_conf_destroy(pointer) }

    func set(_ key: String, _ value: String) throws(KafkaClientError) {
        let (status, reason) = unsafe withReasonBuffer { unsafe rd_kafka_conf_set(pointer, key, value, $0, $1) }
        guard status == RD_KAFKA_CONF_OK else {
            // librdkafka's text repeats the value, which may be a password.
            let text = KafkaSettings.isSecret(key) ? "the value is not accepted" : reason
            let hint = status == RD_KAFKA_CONF_UNKNOWN ? "; is it misspelled, or a setting of the Java client?" : ""
            throw KafkaClientError(code: .configuration, reason: "setting \(key): \(text)\(hint)")
        }
    }

    /// Whether this librdkafka knows the key at all; for an object that serves nothing else, since the key gets a value.
    ///
    /// Reading the key is no answer: for a text that is not set librdkafka says "unknown" too.
    func knows(_ key: String) -> Bool {
        unsafe withReasonBuffer { unsafe rd_kafka_conf_set(pointer, key, "", $0, $1) }.0 != RD_KAFKA_CONF_UNKNOWN
    }

    func withPointer(_ body: (OpaquePointer) -> Void) { unsafe body(pointer) }

    consuming func intoC() -> OpaquePointer {
        let taken = unsafe pointer
        discard self
        return unsafe taken
    }
}

/// Calls a C function that writes its reason for failing into a buffer.
func withReasonBuffer<T>(_ body: (UnsafeMutablePointer<CChar>?, Int) -> T) -> (T, String) {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
        unsafe buffer.initialize(repeating: 0)
        let result = unsafe body(buffer.baseAddress, buffer.count)
        return (result, unsafe buffer.baseAddress.map { unsafe String(cString: $0) } ?? "")
    }
}
