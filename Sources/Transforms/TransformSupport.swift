internal import ConnectConfig
internal import ConnectModel
internal import ConnectSDK
internal import Synchronization

/// Which part of a record a transform works on.
enum RecordPart: String, Sendable {
    case key = "Key"
    case value = "Value"

    func read(_ record: ConnectRecord) -> SchemaAndValue { self == .key ? record.key : record.value }

    func write(_ data: SchemaAndValue, to record: ConnectRecord) -> ConnectRecord {
        var changed = record
        if self == .key { changed.key = data } else { changed.value = data }
        return changed
    }
}

/// A transform whose faults are Connect's; ``ConnectTransform`` carries them over the edge of the SDK.
protocol Transform: Sendable {
    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord?
}

/// A transform at the edge of the SDK.
struct ConnectTransform: RecordTransform {
    let transform: any Transform

    func apply(_ record: ConnectRecord) throws(DataError) -> ConnectRecord? {
        do throws(ConnectError) { return try transform.apply(record) } catch {
            throw DataError(error.message, javaClass: error.className)
        }
    }
}

extension Value {
    /// The map, for a transform that needs one.
    ///
    /// Throws a `DataException` for anything else, null included.
    func map(for purpose: String) throws(ConnectError) -> MapValue {
        guard case .map(let map) = self else {
            throw .data("Only Map objects supported in absence of schema for [\(purpose)], found: \(javaClass)")
        }
        return map
    }

    /// The struct, for a transform that needs one.
    ///
    /// Throws a `DataException` for anything else, null included.
    func structure(for purpose: String) throws(ConnectError) -> StructValue {
        guard case .structure(let structure) = self else {
            throw .data("Only Struct objects supported for [\(purpose)], found: \(javaClass)")
        }
        return structure
    }
}

extension StructValue {
    /// A field's value, with or without the schema's default in the place of null.
    func value(_ field: Field, orDefault: Bool) -> Value { orDefault ? value(field) : values[field.index] }
}

extension Schema {
    /// The fields; throws a `DataException` when it is not a struct's.
    func structFields() throws(ConnectError) -> [Field] {
        guard type == .structure else { throw .data("Cannot list fields on non-struct type") }
        return fields
    }

    /// A field; throws a `DataException` when it is not a struct's.
    func structField(_ name: String) throws(ConnectError) -> Field? {
        guard type == .structure else { throw .data("Cannot look up fields on non-struct type") }
        return field(name)
    }
}

/// Schemas made from others, so that a record's schema is rebuilt once and not for each record.
final class SchemaCache: Sendable {
    private struct Entry {
        let source: Schema
        let made: Schema
    }
    private let entries = Mutex<[Entry]>([])
    private static let size = 16

    /// What `build` makes of `source`; kept for the next record of that schema.
    func schema(for source: Schema, build: () throws(ConnectError) -> Schema) throws(ConnectError) -> Schema {
        if let known = entries.withLock({ $0.first { $0.source === source }?.made }) { return known }
        let made = try build()
        entries.withLock { entries in
            if entries.count == Self.size { entries.removeFirst() }
            entries.append(Entry(source: source, made: made))
        }
        return made
    }
}

/// Keys that several transforms share, and kinds of keys that only transforms have.
enum TransformKeys {
    static let replaceNull = ConfigKey<Bool>.boolean(
        "replace.null.with.default",
        default: true,
        "Whether a null field is copied as its schema's default. With false it stays null."
    )

    /// A list without repeated and empty items.
    static func distinctList(
        _ name: String,
        default standIn: [String]? = nil,
        importance: Importance = .high,
        _ documentation: String
    ) -> ConfigKey<[String]> {
        let list = ConfigKey<[String]>.list(name, documentation)
        return ConfigKey(
            name,
            type: .list,
            default: standIn,
            defaultText: standIn.map { $0.joined(separator: ",") },
            importance: importance,
            valid: "",
            documentation
        ) { text throws(ConfigIssue.Reason) in
            let items = try items(text, list)
            if items.isEmpty, standIn == nil {
                throw .whole("Configuration '\(name)' must not be empty. Valid values include: any non-empty value")
            }
            if Set(items).count < items.count {
                throw .whole("Configuration '\(name)' values must not be duplicated.")
            }
            if items.contains("") { throw .whole("Configuration '\(name)' values must not be empty.") }
            return items
        }.refusingNull(.whole("Configuration '\(name)' values must not be null."))
    }

    /// A list with at least one item.
    static func fullList(_ name: String, _ documentation: String) -> ConfigKey<[String]> {
        let list = ConfigKey<[String]>.list(name, documentation)
        return ConfigKey(
            name,
            type: .list,
            default: nil,
            defaultText: nil,
            importance: .high,
            valid: "non-empty list",
            documentation
        ) { text throws(ConfigIssue.Reason) in
            let items = try items(text, list)
            if items.isEmpty { throw ConfigIssue.Reason("Empty list").showing("[]") }
            return items
        }.refusingNull(ConfigIssue.Reason("Empty list"))
    }

    static func items(_ text: String, _ list: ConfigKey<[String]>) throws(ConfigIssue.Reason) -> [String] {
        do throws(ConfigIssue) { return try list.value(in: [list.name: text]) } catch {
            throw ConfigIssue.Reason(error.message)
        }
    }
}

extension ConfigKey {
    /// The value in a plugin's own config, whose prefix has been taken off.
    func read(_ config: [String: String]) throws(ConnectError) -> Value {
        do throws(ConfigIssue) { return try value(in: config) } catch { throw .config(error.message) }
    }
}

/// Java's `String.split` by one character: empty parts at the end are dropped.
func javaSplit(_ text: String, by separator: Character) -> [String] {
    var parts = text.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    while parts.count > 1, parts.last == "" { parts.removeLast() }
    return parts
}
