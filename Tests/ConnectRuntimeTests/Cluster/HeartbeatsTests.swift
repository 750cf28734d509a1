import Testing

@testable import ConnectRuntime

@Suite struct HeartbeatsTests {
    private func sample(_ time: Int, sent: Int, isAnswered: Bool = true, phase: String = "steady") -> Heartbeats.Sample
    {
        .init(time: .milliseconds(time), sent: sent, isAnswered: isAnswered, phase: phase)
    }
    @Test func `an answer proves life since the last look that did not count its request`() {
        var beats = Heartbeats(start: .milliseconds(100))
        beats.took(sample(250, sent: 0))
        #expect(beats.heardSince == nil)
        beats.took(sample(500, sent: 1, isAnswered: false))
        #expect(beats.heardSince == nil)
        beats.took(sample(750, sent: 1))
        #expect(beats.heardSince == .milliseconds(250))
        beats.took(sample(1_000, sent: 1))
        beats.took(sample(1_250, sent: 2, isAnswered: false))
        beats.took(sample(9_000, sent: 2, isAnswered: false))
        #expect(beats.heardSince == .milliseconds(250))
        beats.took(sample(9_250, sent: 2))
        #expect(beats.heardSince == .milliseconds(1_000))
    }
    @Test func `librdkafka's statistics are read`() {
        let text = #"""
            {"ts":12234724371,"brokers":{"127.0.0.1:9092/1":{"outbuf_cnt":3,"waitresp_cnt":1,"req":{"Fetch":9}},
            "GroupCoordinator":{"outbuf_cnt":0,"waitresp_cnt":1,"req":{"JoinGroup":2,"SyncGroup":1,"Heartbeat":4,"OffsetFetch":1}}},
            "cgrp":{"state":"up","join_state":"wait-join"}}
            """#
        let sample = Heartbeats.Sample(statistics: text)
        #expect(sample == .init(time: .microseconds(12_234_724_371), sent: 7, isAnswered: false, phase: "wait-join"))
        #expect(Heartbeats.Sample(statistics: "{}") == nil)
        #expect(Heartbeats.Sample(statistics: "no JSON") == nil)
    }
}

@Suite struct PlaceTests {
    private let me = Place(boot: "b", network: "n", port: 8083, processes: "p", process: 7, started: 500)
    private func place(_ change: (inout Place) -> Void) -> Place {
        var other = Place(boot: "b", network: "n", port: 9000, processes: "p", process: 6, started: 400)
        change(&other)
        return other
    }
    @Test func `a process is dead when the kernel says so, or when we hold its port`() {
        #expect(me.knowsDead(place { _ in }) { _ in nil })
        #expect(me.knowsDead(place { _ in }) { _ in 450 })
        #expect(me.knowsDead(place { $0.port = 8083 }) { _ in 400 })
        #expect(me.knowsDead(place { ($0.processes, $0.port) = ("q", 8083) }) { _ in 400 })
    }
    @Test func `what is not certain is not dead`() {
        #expect(!me.knowsDead(place { _ in }) { _ in 400 })
        #expect(!me.knowsDead(place { _ in }) { _ in 0 })
        #expect(!me.knowsDead(place { $0.boot = "x" }) { _ in nil })
        #expect(!me.knowsDead(place { $0.processes = "q" }) { _ in nil })
        #expect(!me.knowsDead(place { ($0.processes, $0.network, $0.port) = ("q", "m", 8083) }) { _ in nil })
        #expect(!me.knowsDead(me) { _ in nil })
    }
    @Test func `this process knows itself, and its text is read back`() {
        let here = Place.here(port: 8083)
        #expect(Place(here.text) == here)
        #expect(Place.startTime(of: here.process) == here.started)
        #expect(here.started > 0 && !here.boot.isEmpty)
        #expect(Place("") == nil && Place("a.b.c.d.e.f") == nil)
    }
    @Test func `a member's client id is read back, and others' are not taken for one`() {
        let member = ClusterMember(workerID: "h:8083", url: "http://h:8083", run: "abc", place: me)
        #expect(ClusterMember(clientID: member.clientID(prefix: "my;prefix")) == member)
        #expect(ClusterMember(clientID: "connect-1") == nil)
        #expect(ClusterMember(clientID: "a;b;c;d") == nil)
        let record = ClusterRecord(generation: 3, leader: member, isConfirmed: true, epoch: 77)
        #expect(ClusterRecord(record.json) == record)
        let empty = ClusterRecord(generation: 3, leader: nil, isConfirmed: true, epoch: 77)
        #expect(ClusterRecord(empty.json) == empty)
        #expect(ClusterRecord(.object([])) == nil)
    }
    @Test func `a lease ends by itself, and waiting for it is woken by the next`() async {
        let lease = Lease(isUnlimited: false)
        #expect(!lease.isValid)
        async let passed = lease.pass()
        lease.set(BootClock.now + .seconds(60))
        #expect(await passed)
        #expect(lease.isValid)
        lease.set(BootClock.now - .milliseconds(1))
        #expect(!lease.isValid)
        lease.unlimit()
        #expect(lease.isValid)
        #expect(Lease().isValid)
    }
}
