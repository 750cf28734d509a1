import ConnectModel
import ConnectSDK
import Lifecycle
import Metrics
import Testing

@testable import ConnectRuntime

/// A worker that hangs does not look well, and says what it hangs on.
@Suite(.timeLimit(.minutes(1))) struct HealthTests {
    private let source: ConfigMap = ["connector.class": "FileStreamSource", "topic": "lines"]

    @Test func `a lane that is held makes the worker unhealthy, by name`() async throws {
        try await Fixture().run { fixture in
            _ = try await fixture.herder.create("a", source, initialState: nil)
            await fixture.until("a") { fixture.running == 1 }
            #expect(await fixture.herder.health() == .healthy)
            let (inside, release) = (Latch(), Latch())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await fixture.herder.supervisor("a").lane.run("starting connector a") {
                        inside.open()
                        await release.wait()
                    }
                }
                await inside.wait()
                let health = await fixture.herder.health(within: .milliseconds(20))
                #expect(health.status == .unhealthy)
                #expect(
                    health.message.hasPrefix(
                        "Worker was unable to handle this request and may be unable to handle other requests. "
                            + "The worker is currently starting connector a (connector a), which began at 20"
                    )
                )
                #expect(
                    fixture.herder.timeoutMessage().hasPrefix("Request timed out. The worker is currently starting")
                )
                release.open()
                try await group.waitForAll()
            }
            #expect(await fixture.herder.health() == .healthy)
        }
    }
    @Test func `a call that is cancelled in the queue leaves it and says for what it waited`() async throws {
        try await Fixture().run { fixture in
            let (inside, release) = (Latch(), Latch())
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await fixture.herder.supervisor("a").lane.run("deleting connector a") {
                        inside.open()
                        await release.wait()
                    }
                }
                await inside.wait()
                let call = Task { () -> String in
                    do throws(HerderError) {
                        _ = try await fixture.herder.create("a", source, initialState: nil)
                        return "created"
                    } catch { return error.message }
                }
                call.cancel()
                #expect(
                    await call.value.hasPrefix(
                        "Request timed out. The worker is currently deleting connector a, which began at"
                    )
                )
                release.open()
            }
            let names = try await fixture.herder.connectorNames()
            #expect(names == [])
        }
    }
    @Test func `series of a connector go with it, those of the worker count`() async throws {
        try await Fixture().run { fixture in
            let registry = fixture.context.environment.metrics, worker = "kafka_connect_connect_worker_metrics_"
            func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
                registry.samples().first { $0.name == name && $0.labels == labels }?.value
            }
            _ = try await fixture.herder.create("a", source, initialState: nil)
            await fixture.until("a") { fixture.running == 1 }
            await fixture.settle("a")
            registry.counter("connect_x_total", "X.", labels: ["connector", "task"])("a", "0").add()
            #expect(value(worker + "connector_count") == 1 && value(worker + "task_count") == 1)
            #expect(value(worker + "connector_startup_attempts_total") == 1)
            #expect(value(worker + "task_startup_success_total") == 1)
            #expect(value(worker + "connector_running_task_count", ["connector": "a"]) == 1)
            #expect(value("kafka_connect_connector_metrics_status", ["connector": "a", "status": "running"]) == 1)
            try await fixture.herder.delete("a")
            await fixture.until("a") { fixture.context.status.status(.connector("a")) == nil }
            await fixture.settle("a")
            #expect(!registry.samples().contains { $0.labels["connector"] == "a" })
            #expect(value(worker + "connector_count") == 0)
        }
    }
}
