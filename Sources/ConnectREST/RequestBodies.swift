import ConnectConfig
import ConnectModel
import ConnectRuntime
import ConnectSDK
import HTTPServer

// What clients send, read strictly but in any order, keeping the order of config keys. Kafka Connect answers 500 for most of
// these mistakes; a client's error is a 400 here (specified as a deliberate difference in Docs/compatibility.md).

/// `POST /connectors`.
struct CreateRequest {
    var name: String
    var config: ConfigMap
    var initialState: TargetState?

    init(_ call: Call) throws(RESTError) {
        let body = try JSON.body(of: call)
        for member in try body.fields() where !["name", "config", "initial_state"].contains(member.key) {
            throw RESTError(
                400,
                "Unrecognized field \"\(member.key)\"; expected \"name\", \"config\" and \"initial_state\""
            )
        }
        guard let config = body["config"], config != .null else {
            throw RESTError(400, "The request body has no \"config\"")
        }
        self.config = try config.configMap()
        name = trimmed(body["name"]?.string ?? self.config["name"] ?? "")
        guard let state = body["initial_state"], state != .null else { return }
        guard let wanted = state.string.flatMap(TargetState.init(initialState:)) else {
            throw RESTError(400, "\"initial_state\" must be one of RUNNING, PAUSED, STOPPED")
        }
        initialState = wanted
    }
}

extension ConfigMap {
    /// A bare config: `PUT /connectors/{name}/config`, `PATCH` and `validate`.
    init(_ call: Call) throws(RESTError) { self = try JSON.body(of: call).configMap() }
}

/// `PATCH /connectors/{name}/offsets` (KIP-875).
struct OffsetsRequest {
    var positions: [SourcePosition]

    /// `kind` is the connector's, for the wording.
    init(_ call: Call, _ kind: ConnectorKind?) throws(RESTError) {
        let kind = kind?.rawValue ?? "source"
        guard case .array(let entries)? = try JSON.body(of: call)["offsets"], !entries.isEmpty else {
            throw RESTError(400, "Partitions / offsets need to be provided for an alter offsets request")
        }
        positions = []
        for entry in entries {
            guard let given = entry["partition"], given != .null else {
                throw RESTError(400, "The partition for a \(kind) connector offset cannot be null or missing")
            }
            guard let partition = given.offsetMap else {
                throw RESTError(400, "A \"partition\" is an object of texts, numbers or booleans")
            }
            guard let offset = entry["offset"], offset != .null else {
                positions.append(SourcePosition(partition: partition, offset: nil))
                continue
            }
            guard let map = offset.offsetMap else {
                throw RESTError(400, "An \"offset\" is null or an object of texts, numbers or booleans")
            }
            positions.append(SourcePosition(partition: partition, offset: map))
        }
    }
}

/// `PUT /admin/loggers/{name}` (KIP-495).
struct LoggerRequest {
    var level: String

    init(_ call: Call) throws(RESTError) {
        guard let level = try JSON.body(of: call)["level"]?.string else {
            throw RESTError(400, "Desired 'level' parameter was not specified in request.")
        }
        self.level = level
    }
}

extension JSON {
    fileprivate static func body(of call: Call) throws(RESTError) -> JSON {
        guard !call.request.body.isEmpty else {
            throw RESTError(400, "The request has no body; expected a JSON object")
        }
        do throws(JSONFault) { return try JSON.parse(call.request.body) } catch {
            throw RESTError(400, "The request body is not JSON: \(error)")
        }
    }
    fileprivate func fields() throws(RESTError) -> [Member] {
        guard let members else { throw RESTError(400, "The request body must be a JSON object") }
        return members
    }
    fileprivate func configMap() throws(RESTError) -> ConfigMap {
        var config = ConfigMap()
        for member in try fields() {
            guard let text = member.value.configText else {
                throw RESTError(
                    400,
                    "Config key \"\(member.key)\": expected a text, a number or a boolean, got JSON structure"
                )
            }
            config.set(member.key, text)
        }
        return config
    }
}
