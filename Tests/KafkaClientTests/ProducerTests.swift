import ConnectModel
import Testing

@testable import KafkaClient

@Suite struct ProducerTests {
    @Test func `one record comes back with its place`() async throws {
        let cluster = try makeCluster(partitions: 2)
        let producer = try Producer(KafkaSettings(cluster))
        let first = try await producer.send(ProducerRecord(topic: "t", partition: 1, key: [1], value: [2]))
        #expect(first.topic == "t" && first.partition == 1 && first.offset == 0)
        let second = try await producer.send(ProducerRecord(topic: "t", partition: 1, key: nil, value: nil))
        #expect(second.offset == 1)
        await producer.close()
        try await eventually { producer.pending == 0 }
        await producer.close()
    }

    @Test func `a callback is called once`() async throws {
        let cluster = try makeCluster()
        let producer = try Producer(KafkaSettings(cluster))
        let offset = await withCheckedContinuation { continuation in
            do {
                try producer.send(ProducerRecord(topic: "t", value: "x")) { result in
                    continuation.resume(returning: (try? result.get())?.offset)
                }
            } catch { continuation.resume(returning: -2) }
        }
        #expect(offset == 0)
        await producer.close()
    }

    @Test func `a buffer arrives in order and in full`() async throws {
        let cluster = try makeCluster()
        let producer = try Producer(KafkaSettings(cluster))
        let delivery = try await producer.send(texts(0..<5_000))
        #expect(delivery.count == 5_000)
        try await delivery.wait()
        #expect(delivery.isDone && delivery.failures.isEmpty && delivery.remaining == 0)
        let consumer = try Consumer(KafkaSettings(cluster))
        try await consumer.assign([TopicPartition("t", 0): .beginning])
        let received = try await consumer.receive(5_000)
        #expect(received.map(\.value) == (0..<5_000).map { "v\($0)" })
        #expect(received.map(\.offset) == (0..<5_000).map { Int64($0) })
        await consumer.close()
        await producer.close()
    }

    @Test func `keys, tombstones, empty parts, headers and timestamps survive`() async throws {
        let cluster = try makeCluster()
        let producer = try Producer(KafkaSettings(cluster))
        var buffer = RecordBuffer()
        let topic = buffer.index(ofTopic: "t")
        let headers: [RecordBuffer.Header] = [
            .init(name: "a", value: [1, 2]), .init(name: "a", value: nil), .init(name: "b", value: []),
        ]
        buffer.append(topic: topic, partition: 0, timestamp: 1_234, key: [], value: [], headers: headers)
        buffer.append(topic: topic, partition: 0, key: [7], value: nil as [UInt8]?)
        buffer.append(topic: topic, partition: 0, key: nil as [UInt8]?, value: [])
        try await producer.send(buffer).wait()
        let consumer = try Consumer(KafkaSettings(cluster))
        try await consumer.assign([TopicPartition("t", 0): .beginning])
        var seen = 0
        while seen < 3 {
            guard case .batch(let batch) = try await consumer.poll(timeout: .seconds(5)) else { break }
            for index in 0..<batch.count {
                switch batch.offset(at: index) {
                case 0:
                    #expect(batch.key(at: index) == [] && batch.value(at: index) == [])
                    #expect(batch.headers(at: index) == headers && batch.hasHeaders(at: index))
                    #expect(batch.typedTimestamp(at: index) == (1_234, .createTime))
                case 1:
                    #expect(batch.key(at: index) == [7] && batch.value(at: index) == nil)
                    #expect(batch.headers(at: index).isEmpty && !batch.hasHeaders(at: index))
                    #expect(batch.timestamp(at: index) > 1_600_000_000_000)
                default: #expect(batch.key(at: index) == nil && batch.value(at: index) == [])
                }
            }
            seen += batch.count
        }
        #expect(seen == 3)
        await consumer.close()
        await producer.close()
    }

    @Test func `a record that is too large fails alone`() async throws {
        let cluster = try makeCluster()
        let producer = try Producer(KafkaSettings(cluster, ["message.max.bytes": "2000"]))
        var buffer = RecordBuffer()
        let topic = buffer.index(ofTopic: "t")
        for size in [10, 5_000, 20] {
            buffer.append(topic: topic, key: nil as [UInt8]?, value: [UInt8](repeating: 65, count: size))
        }
        let delivery = try await producer.send(buffer)
        await #expect { try await delivery.wait() } throws: { ($0 as? KafkaClientError)?.code == .messageTooLarge }
        #expect(delivery.failures.map(\.index) == [1])
        await #expect {
            try await producer.send(ProducerRecord(topic: "t", value: [UInt8](repeating: 0, count: 3_000)))
        } throws: {
            ($0 as? KafkaClientError)?.code == .messageTooLarge
        }
        try await eventually { producer.pending == 0 }  // given back a moment after the last answer
        await producer.close()
    }

    @Test func `passing broker errors are retried without loss or reordering`() async throws {
        let cluster = try makeCluster()
        let producer = try Producer(KafkaSettings(cluster, ["retry.backoff.ms": "10"]))
        try await producer.send(texts(0..<10)).wait()
        try cluster.pushErrors(api: 0, [7, 19, 6, -195])  // timed out, too few replicas, not leader, broken connection
        try await producer.send(texts(10..<200)).wait()
        let consumer = try Consumer(KafkaSettings(cluster))
        try await consumer.assign([TopicPartition("t", 0): .beginning])
        #expect(try await consumer.receive(200).map(\.value) == (0..<200).map { "v\($0)" })
        await consumer.close()
        await producer.close()
    }

    @Test func `a full producer suspends the sender and loses nothing`() async throws {
        let cluster = try makeCluster()
        let settings = KafkaSettings(cluster, ["queue.buffering.max.messages": "100", "linger.ms": "0"])
        let producer = try Producer(settings)
        let delivery = try await producer.send(texts(0..<5_000))
        #expect(producer.pending <= 1_024)
        try await delivery.wait()
        await producer.close()
    }

    @Test func `a full producer refuses callbacks at once`() async throws {
        let cluster = try makeCluster()
        try cluster.brokerDown()
        let producer = try Producer(KafkaSettings(cluster, ["queue.buffering.max.messages": "1"]))
        let results = Collected<Bool>()
        try producer.send(ProducerRecord(topic: "t", value: "x")) { results.append((try? $0.get()) != nil) }
        #expect {
            try producer.send(ProducerRecord(topic: "t", value: "y")) { _ in }
        } throws: { error in
            (error as? KafkaClientError)?.code == .queueFull && (error as? KafkaClientError)?.isRetriable == true
        }
        await producer.close(timeout: .zero)
        #expect(results.all == [false])
    }

    @Test func `closing fails what could not be sent`() async throws {
        let cluster = try makeCluster()
        try cluster.brokerDown()
        let producer = try Producer(KafkaSettings(cluster))
        let delivery = try await producer.send(texts(0..<100))
        await #expect { try await producer.flush(timeout: .milliseconds(50)) } throws: {
            ($0 as? KafkaClientError)?.code == .timedOut
        }
        await producer.close(timeout: .milliseconds(50))
        #expect(delivery.isDone && delivery.failures.count == 100)
        await #expect { try await producer.send(ProducerRecord(topic: "t", value: "x")) } throws: {
            ($0 as? KafkaClientError)?.code == .closed
        }
    }

    @Test func `a cancelled wait ends, the records go on`() async throws {
        let cluster = try makeCluster()
        try cluster.brokerDown()
        let producer = try Producer(KafkaSettings(cluster))
        let delivery = try await producer.send(texts(0..<10))
        let waiting = Task { () -> KafkaClientError.Code? in
            do throws(KafkaClientError) { try await delivery.wait() } catch { return error.code }
            return nil
        }
        waiting.cancel()
        #expect(await waiting.value == .cancelled)
        try cluster.brokerUp()
        try await delivery.wait()
        await producer.close()
    }

    @Test func `bad settings are named`() throws {
        func failure(_ values: [String: String]) -> String? {
            do throws(KafkaClientError) {
                _ = try Producer(KafkaSettings(bootstrapServers: "127.0.0.1:1", values))
                return nil
            } catch { return error.reason }
        }
        #expect(failure(["no.such.key": "1"])?.contains("no.such.key") == true)
        #expect(failure(["linger.ms": "soon"])?.contains("linger.ms") == true)
        #expect(failure(["acks": "1", "enable.idempotence": "true"])?.contains("acks") == true)
        #expect(failure(["acks": "1"]) == nil)
        #expect(failure(["queue.buffering.max.kbytes": "0"])?.contains("queue.buffering.max.kbytes") == true)
    }

    /// Values from Kafka's own UtilsTest: murmur2 of the texts, made positive.
    @Test(arguments: [
        ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ])
    func `keys go to the partition that Java's client chooses`(key: String, hash: Int32) {
        for count: Int32 in [1, 2, 7, 12, 1_000] {
            #expect(Producer.partition(forKey: Array(key.utf8), count: count) == (hash & 0x7fff_ffff) % count)
        }
    }
}
