import Testing

@testable import Lifecycle

@Suite struct ChannelTests {
    /// Await a state that another task brings about; yields instead of sleeping.
    static func until(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

    @Test func passesInOrderAndEnds() async throws {
        let channel = Channel<Int>(elements: 2)
        try await withThrowingTaskGroup(of: [Int].self) { group in
            group.addTask {
                for n in 0..<1_000 { try await channel.send(n) }
                channel.finish()
                return []
            }
            group.addTask {
                var got: [Int] = []
                while let n = try await channel.receive() { got.append(n) }
                return got
            }
            let all = try await group.reduce(into: []) { $0 += $1 }
            #expect(all == Array(0..<1_000))
        }
        #expect(channel.isDrained && channel.count == 0)
    }

    @Test func fullByBytesSuspendsAndOneLargePasses() async throws {
        let channel = Channel<[UInt8]>(elements: 10, bytes: 8, size: \.count)
        try await channel.send(Array(repeating: 0, count: 100))
        #expect(!channel.trySend([1]))
        async let sent: Void = channel.send([1])
        await Self.until { channel.waitingSenders == 1 }
        #expect(channel.tryReceive()?.count == 100)
        try await sent
        #expect(channel.tryReceive() == [1] && channel.tryReceive() == nil)
    }

    @Test func cancelledSenderTakesItsElementBack() async throws {
        let channel = Channel<Int>(elements: 1)
        #expect(channel.trySend(1))
        let sender = Task<Void, any Error> { try await channel.send(2) }
        await Self.until { channel.waitingSenders == 1 }
        sender.cancel()
        await #expect(throws: ChannelError.cancelled) { try await sender.value }
        #expect(channel.tryReceive() == 1 && channel.tryReceive() == nil)
    }

    @Test func cancelledReceiverLosesNothing() async throws {
        let channel = Channel<Int>(elements: 1)
        let receiver = Task<Int?, any Error> { try await channel.receive() }
        receiver.cancel()
        await #expect(throws: ChannelError.cancelled) { try await receiver.value }
        #expect(channel.trySend(7))
        #expect(try await channel.receive() == 7)
    }

    @Test func finishLetsQueuedThroughAndCloseDoesNot() async throws {
        let channel = Channel<Int>(elements: 1)
        #expect(channel.trySend(1))
        channel.finish()
        await #expect(throws: ChannelError.closed) { try await channel.send(2) }
        #expect(!channel.trySend(2))
        #expect(try await channel.receive() == 1)
        #expect(try await channel.receive() == nil)

        let other = Channel<Int>(elements: 1)
        #expect(other.trySend(1))
        let sender = Task<Void, any Error> { try await other.send(2) }
        await Self.until { other.waitingSenders == 1 }
        other.close()
        await #expect(throws: ChannelError.closed) { try await sender.value }
        #expect(try await other.receive() == nil)
    }

    @Test(arguments: (0 as UInt64)..<20) func manySendersAndReceivers(seed: UInt64) async throws {
        var random = SplitMix64(seed)
        let channel = Channel<Int>(
            elements: Int.random(in: 1...4, using: &random),
            bytes: Int.random(in: 1...40, using: &random),
            size: { $0 % 30 }
        )
        let sum = await withTaskGroup(of: Int.self) { group in
            for receiver in 0..<3 {
                group.addTask(name: "receiver \(receiver)") {
                    var sum = 0
                    while let n = try? await channel.receive() { sum += n }
                    return sum
                }
            }
            await withTaskGroup(of: Void.self) { senders in
                for sender in 0..<4 {
                    senders.addTask { for n in 0..<100 { try? await channel.send(sender * 100 + n) } }
                }
            }
            channel.finish()
            return await group.reduce(0, +)
        }
        #expect(sum == (0..<400).reduce(0, +))
    }

    @Test func fifoReusesItsRoom() {
        var fifo = FIFO<Int>()
        for n in 0..<10_000 {
            fifo.append(n)
            fifo.append(n)
            #expect(fifo.popFirst() == (n / 2))
        }
        #expect(fifo.count == 10_000)
    }
}
