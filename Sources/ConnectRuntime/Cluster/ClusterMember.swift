/// A worker as a member of its group, as its `client.id` tells every other one.
struct ClusterMember: Sendable, Hashable {
    /// `host:port` under which REST is reached; part of every status.
    var workerID: String
    /// Base of REST for other workers.
    var url: String
    /// New with every membership, so that one who was expelled and comes back is somebody else.
    var run: String
    /// Where the process lives; nil when it did not say.
    var place: Place?

    private static let mark = "sluice-worker"

    /// What the group's coordinator keeps and lists; `prefix` is for people who read broker logs.
    func clientID(prefix: String) -> String {
        let fields = [
            prefix.filter { $0 != ";" }, Self.mark, "run=\(run)", "worker=\(workerID)", "url=\(url)",
            "place=\(place?.text ?? "")",
        ]
        return fields.joined(separator: ";")
    }
    /// Nil for a client that is none of ours.
    init?(clientID: String) {
        let fields = clientID.split(separator: ";", omittingEmptySubsequences: false)
        guard fields.count > 2, fields[1] == Self.mark else { return nil }
        func value(_ name: String) -> String? {
            fields.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
        }
        guard let run = value("run"), let worker = value("worker"), let url = value("url") else { return nil }
        self.init(workerID: worker, url: url, run: run, place: value("place").flatMap { Place($0) })
    }
    init(workerID: String, url: String, run: String, place: Place?) {
        (self.workerID, self.url, self.run, self.place) = (workerID, url, run, place)
    }
}

/// Who leads the cluster and what everybody does: the one record of topic `<group.id>-cluster`.
struct ClusterRecord: Sendable, Hashable {
    /// Grows with every leader; statuses carry it.
    var generation: Int
    /// Who leads, and for now does all the work; nil when the last leader has stopped everything and left.
    var leader: ClusterMember?
    /// The group gave the leader the partition; before that it had only found nobody else alive.
    var isConfirmed: Bool
    /// The largest epoch that the leader may have handed to a task when it wrote this.
    var epoch: Int64

    /// Groups whose names differ only in what a topic's name cannot hold share a topic, but not a key.
    static func key(_ group: String) -> [UInt8] { Array("assignment-\(group)".utf8) }

    var json: JSON {
        var members: [JSON.Member] = [
            .init(key: "version", value: .int(1)), .init(key: "generation", value: .int(generation)),
            .init(key: "confirmed", value: .boolean(isConfirmed)), .init(key: "epoch", value: .int(epoch)),
        ]
        let told: JSON =
            leader.map { leader in
                .object([
                    "worker_id": .string(leader.workerID), "url": .string(leader.url), "run": .string(leader.run),
                    "place": .string(leader.place?.text ?? ""),
                ])
            } ?? .null
        members.append(.init(key: "leader", value: told))
        let all = leader.map { JSON.Member(key: $0.workerID, value: .string("everything")) }
        members.append(.init(key: "assignment", value: .object(all.map { [$0] } ?? [])))
        return .object(members)
    }
    init?(_ value: JSON) {
        guard let generation = value["generation"]?.int, let told = value["leader"] else { return nil }
        self.generation = Int(generation)
        epoch = value["epoch"]?.int ?? 0
        isConfirmed = value["confirmed"] == .boolean(true)
        leader = nil
        if told == .null { return }
        guard let worker = told["worker_id"]?.string, let url = told["url"]?.string, let run = told["run"]?.string
        else { return nil }
        let place = told["place"]?.string.flatMap { Place($0) }
        leader = ClusterMember(workerID: worker, url: url, run: run, place: place)
    }
    init(generation: Int, leader: ClusterMember?, isConfirmed: Bool, epoch: Int64) {
        (self.generation, self.leader, self.isConfirmed, self.epoch) = (generation, leader, isConfirmed, epoch)
    }
}
