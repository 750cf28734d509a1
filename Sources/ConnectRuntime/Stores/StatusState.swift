import ConnectModel

/// A status as the status topic keeps it.
struct StatusRecord: Sendable, Hashable {
    /// Kafka Connect's word; open, since another worker may know more of them.
    var state: String
    var trace: String?
    var workerID: String
    /// Grows with every change of assignment; an older generation may not overwrite a newer one.
    var generation: Int
    var version: String?

    var json: JSON {
        .object([
            "state": .string(state), "trace": .text(trace), "worker_id": .string(workerID),
            "generation": .int(generation), "version": .text(version),
        ])
    }
    init(state: String, trace: String? = nil, workerID: String, generation: Int, version: String?) {
        (self.state, self.trace, self.workerID) = (state, trace, workerID)
        (self.generation, self.version) = (generation, version)
    }
    /// Kafka Connect 3.9 writes no version.
    init?(_ value: JSON) {
        guard let state = value["state"]?.string, let worker = value["worker_id"]?.string,
            let generation = value["generation"]?.int
        else { return nil }
        self.init(
            state: state,
            trace: value["trace"]?.string,
            workerID: worker,
            generation: Int(generation),
            version: value["version"]?.string
        )
    }
}

/// Whose status a record is.
enum StatusKey: Sendable, Hashable {
    case connector(String)
    case task(TaskID)
    case topic(String, connector: String)

    var text: String {
        switch self {
        case .connector(let name): "status-connector-\(name)"
        case .task(let id): "status-task-\(id)"
        case .topic(let topic, let connector): "status-topic-\(topic):connector-\(connector)"
        }
    }
    init?(_ text: String) {
        if let name = Self.rest(text, "status-connector-") {
            self = .connector(name)
        } else if let rest = Self.rest(text, "status-task-"), let dash = rest.lastIndex(of: "-"),
            let number = Int(rest[rest.index(after: dash)...])
        {
            self = .task(TaskID(String(rest[..<dash]), number))
        } else if let rest = Self.rest(text, "status-topic-"), let split = Self.split(rest) {
            self = .topic(split.topic, connector: split.connector)
        } else {
            return nil
        }
    }
    private static func rest(_ text: String, _ prefix: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }
    /// A topic name has no colon, so the first separator is the one.
    private static func split(_ text: String) -> (topic: String, connector: String)? {
        let separator = ":connector-"
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix(separator) else { return nil }
        return (String(text[..<colon]), String(text[colon...].dropFirst(separator.count)))
    }
}

/// That a connector has used a topic (KIP-558).
struct TopicUse: Sendable, Hashable {
    var topic: String
    var connector: String
    var task: Int
    /// Milliseconds since 1970.
    var discovered: Int64

    var json: JSON {
        .object([
            "topic": .object([
                "name": .string(topic), "connector": .string(connector), "task": .int(task),
                "discoverTimestamp": .int(discovered),
            ])
        ])
    }
    init(topic: String, connector: String, task: Int, discovered: Int64) {
        (self.topic, self.connector, self.task, self.discovered) = (topic, connector, task, discovered)
    }
    init?(_ value: JSON) {
        guard let body = value["topic"], let topic = body["name"]?.string, let name = body["connector"]?.string,
            let task = body["task"]?.int, let time = body["discoverTimestamp"]?.int
        else { return nil }
        self.init(topic: topic, connector: name, task: Int(task), discovered: time)
    }
}

/// The state that replaying the status topic gives; pure, so that recorded topics can test it.
struct StatusState: Sendable {
    private(set) var connectors: [String: StatusRecord] = [:]
    private(set) var tasks: [String: [Int: StatusRecord]] = [:]
    private(set) var topics: [String: [String: TopicUse]] = [:]
    /// The largest generation in the topic.
    private(set) var generation = 0

    subscript(key: StatusKey) -> StatusRecord? {
        switch key {
        case .connector(let name): connectors[name]
        case .task(let id): tasks[id.connector]?[id.task]
        case .topic: nil
        }
    }
    /// Takes one record; false when it makes no sense.
    mutating func apply(_ key: StatusKey, _ value: JSON?) -> Bool {
        if case .topic(let topic, let connector) = key {
            guard let value else {
                topics[connector]?[topic] = nil
                return true
            }
            guard let use = TopicUse(value) else { return false }
            topics[connector, default: [:]][topic] = use
            return true
        }
        guard let value else {
            set(key, nil)
            return true
        }
        guard let record = StatusRecord(value) else { return false }
        generation = max(generation, record.generation)
        // An old owner that gives a task up late must not hide that the new one runs it.
        if record.state == "UNASSIGNED", let now = self[key], now.generation > record.generation { return true }
        set(key, record)
        return true
    }
    /// Whether a shutting-down or failing owner may still write: never over a newer owner's status.
    func maySafelyWrite(_ record: StatusRecord, to key: StatusKey) -> Bool {
        guard let now = self[key] else { return true }
        return now.workerID == record.workerID || now.generation <= record.generation
    }
    private mutating func set(_ key: StatusKey, _ record: StatusRecord?) {
        switch key {
        case .connector(let name): connectors[name] = record
        case .task(let id):
            tasks[id.connector, default: [:]][id.task] = record
            if tasks[id.connector]?.isEmpty == true { tasks[id.connector] = nil }
        case .topic: break
        }
    }
}
