import Glibc
import Synchronization
import Testing

@testable import Lifecycle

/// What happened, in order.
final class Journal: Sendable {
    private let kept = Mutex<[String]>([])
    func add(_ line: String) { kept.withLock { $0.append(line) } }
    var lines: [String] { kept.withLock { $0 } }
}

struct Probe: Service {
    let name: String
    let journal: Journal
    var started = Latch()
    var fails = false
    var ignoresStop = false

    struct Broken: Error, CustomStringConvertible { var description: String { "broken" } }

    func run(until stop: Latch) async throws {
        started.open()
        if fails { throw Broken() }
        if ignoresStop {
            await Latch().wait()
            journal.add("\(name) cancelled")
            throw CancellationError()
        }
        await stop.wait()
        journal.add("\(name) stopped")
    }
}

@Suite struct ServiceGroupTests {
    @Test(.timeLimit(.minutes(1))) func stopsInReverseOrderOnASignal() async throws {
        let journal = Journal(), signals = SignalStream([])
        let probes = ["a", "b", "c"].map { Probe(name: $0, journal: journal) }
        async let run: Void = ServiceGroup(probes).run(stopOn: signals)
        for probe in probes { await probe.started.wait() }
        signals.raise(.terminate)
        try await run
        #expect(journal.lines == ["c stopped", "b stopped", "a stopped"])
    }

    @Test(.timeLimit(.minutes(1))) func aFailureStopsTheOthersAndIsThrown() async {
        let journal = Journal()
        let group = ServiceGroup([
            Probe(name: "a", journal: journal), Probe(name: "bad", journal: journal, fails: true),
            Probe(name: "c", journal: journal),
        ])
        let error = await #expect(throws: ServiceGroup.Failure.self) { try await group.run(stopOn: SignalStream([])) }
        #expect(error?.description == "bad: broken")
        #expect(journal.lines == ["c stopped", "a stopped"])
    }

    @Test(.timeLimit(.minutes(1))) func outOfTimeCancels() async {
        let journal = Journal(), signals = SignalStream([])
        let group = ServiceGroup(
            [Probe(name: "slow", journal: journal, ignoresStop: true)],
            grace: .milliseconds(1),
            cancel: .seconds(60)
        ) { journal.add("quit \($0)") }
        signals.raise(.terminate)
        let error = await #expect(throws: ServiceGroup.Failure.self) { try await group.run(stopOn: signals) }
        #expect(error?.description == "slow: not finished within 0.001 seconds")
        #expect(journal.lines == ["slow cancelled"])
    }

    @Test func nothingToRun() async throws { try await ServiceGroup([]).run(stopOn: SignalStream([])) }

    @Test(.timeLimit(.minutes(1)), .serialized, arguments: Signal.allCases)
    func signalsOfTheOperatingSystem(signal: Signal) async {
        let signals = SignalStream([signal])
        kill(getpid(), signal.number)
        #expect(await signals.next() == signal)
        let waiter = Task { await signals.next() }
        waiter.cancel()
        #expect(await waiter.value == nil)
    }
}

@Suite struct ShutdownMachineTests {
    @Test func orderlyStop() {
        var machine = ShutdownMachine(services: 2)
        #expect(machine.on(.signal(.terminate)) == [.startGrace, .stop(1)])
        #expect(machine.on(.signal(.terminate)) == [])
        #expect(machine.on(.ended(1, failure: nil)) == [.stop(0)])
        #expect(machine.on(.ended(0, failure: nil)) == [.finished])
        #expect(machine.failure == nil)
    }
    @Test func secondInterruptQuits() {
        var machine = ShutdownMachine(services: 1)
        #expect(machine.on(.signal(.interrupt)) == [.startGrace, .stop(0)])
        #expect(machine.on(.signal(.interrupt)) == [.quit(status: 130)])
    }
    @Test func outOfTime() {
        var machine = ShutdownMachine(services: 2)
        #expect(machine.on(.ended(0, failure: "x")) == [.startGrace, .stop(1)])
        #expect(machine.on(.graceOver) == [.cancelAll])
        #expect(machine.on(.cancelOver) == [.quit(status: 70)])
        #expect(machine.on(.ended(1, failure: "y")) == [.finished])
        #expect(machine.failure == "x", "the first failure is the one to report")
    }
}
