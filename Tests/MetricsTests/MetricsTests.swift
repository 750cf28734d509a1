import Testing

@testable import Metrics

@Suite struct MetricsTests {
    @Test func exposition() {
        let metrics = MetricsRegistry()
        let written = metrics.counter("connect_records_total", "Records\nwritten.", labels: ["connector", "task"])
        written("orders", "0").add(3)
        written("a\"b\\c\nd", "1").add()
        metrics.gauge("connect_up", "Is up.")().set(1.5)
        metrics.gauge("connect_memory_bytes", "Resident.") { 12_345_678 }
        metrics.gauge("connect_lag_records", "Lag.", labels: ["topic"]) { [(["t"], .infinity), (["u"], .nan)] }
        let times = metrics.histogram("connect_put_seconds", "Time.", labels: ["task"], bounds: [0.1, 1, 10])("0")
        times.observe(.milliseconds(50))
        times.observe(1)
        times.observe(99.5)
        #expect(
            metrics.text() == """
                # HELP connect_lag_records Lag.
                # TYPE connect_lag_records gauge
                connect_lag_records{topic="t"} +Inf
                connect_lag_records{topic="u"} NaN
                # HELP connect_memory_bytes Resident.
                # TYPE connect_memory_bytes gauge
                connect_memory_bytes 12345678
                # HELP connect_put_seconds Time.
                # TYPE connect_put_seconds histogram
                connect_put_seconds_bucket{task="0",le="0.1"} 1
                connect_put_seconds_bucket{task="0",le="1"} 2
                connect_put_seconds_bucket{task="0",le="10"} 2
                connect_put_seconds_bucket{task="0",le="+Inf"} 3
                connect_put_seconds_sum{task="0"} 100.55
                connect_put_seconds_count{task="0"} 3
                # HELP connect_records_total Records\\nwritten.
                # TYPE connect_records_total counter
                connect_records_total{connector="a\\"b\\\\c\\nd",task="1"} 1
                connect_records_total{connector="orders",task="0"} 3
                # HELP connect_up Is up.
                # TYPE connect_up gauge
                connect_up 1.5

                """
        )
        let sample = Sample(name: "connect_records_total", labels: ["connector": "orders", "task": "0"], value: 3)
        #expect(metrics.samples().contains(sample))
        #expect(times.count == 3 && times.sum == 100.55)
    }

    @Test func declaredAgainIsTheSame() {
        let metrics = MetricsRegistry()
        metrics.counter("a_total", "A.", labels: ["task"])("0").add(1)
        metrics.counter("a_total", "A.", labels: ["task"])("0").add(2)
        #expect(metrics.counter("a_total", "A.", labels: ["task"])("0").current == 3)
    }
    @Test func declaredDifferentlyTraps() async {
        await #expect(processExitsWith: .failure) {
            let metrics = MetricsRegistry()
            _ = metrics.gauge("a", "A.")
            _ = metrics.gauge("a", "A.", labels: ["task"])
        }
    }

    @Test func seriesAreBounded() {
        let metrics = MetricsRegistry(seriesMax: 2)
        let family = metrics.counter("a_total", "A.", labels: ["t"])
        for name in ["1", "2", "3", "4"] { family(name).add() }
        #expect(family.all.map(\.labels) == [["1"], ["2"], ["other"]] && family("5").current == 2)
    }

    @Test func goneSeriesAreForgotten() {
        let metrics = MetricsRegistry()
        let family = metrics.gauge("a", "A.", labels: ["connector", "task"])
        let other = metrics.gauge("b", "B.", labels: ["topic"])
        for (connector, task) in [("x", "0"), ("x", "1"), ("y", "0")] { family(connector, task).set(1) }
        other("t").set(1)
        metrics.removeSeries(where: ["connector": "x", "task": "1"])
        #expect(family.all.map(\.labels) == [["x", "0"], ["y", "0"]])
        metrics.removeSeries(where: ["connector": "x"])
        #expect(family.all.map(\.labels) == [["y", "0"]] && other.all.count == 1)
    }

    @Test func concurrentUpdates() async {
        let metrics = MetricsRegistry()
        let counter = metrics.counter("a_total", "A.")(), gauge = metrics.gauge("g", "G.")()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.add()
                        gauge.add(0.5)
                    }
                }
            }
        }
        #expect(counter.current == 4_000 && gauge.current == 2_000)
    }
}
