internal import ConnectConfig
internal import ConnectModel
internal import FoundationEssentials

/// Changes the form of a timestamp: number, text, or one of Connect's date types.
struct TimestampConverter: Transform {
    enum Form: String, CaseIterable, Sendable {
        case string, unix
        case date = "Date"
        case time = "Time"
        case timestamp = "Timestamp"
    }

    static let field = ConfigKey<String>.string(
        "field",
        default: "",
        importance: .high,
        "The field with the timestamp; empty when the whole value is one."
    )
    static let target = ConfigKey<String>.word(
        "target.type",
        of: Form.allCases.map(\.rawValue),
        "The form to change to: string, unix (a number), Date, Time or Timestamp."
    )
    static let format = ConfigKey<String>.string(
        "format",
        default: "",
        "How texts are read and written: a pattern of Java's SimpleDateFormat, in UTC. Needed for target.type=string and for "
            + "timestamps that are text."
    )
    static let precision = ConfigKey<String>.word(
        "unix.precision",
        of: ["nanoseconds", "microseconds", "milliseconds", "seconds"],
        default: "milliseconds",
        importance: .low,
        "The unit of numbers, in both directions. What is finer than a millisecond is lost."
    )
    static let keys: [any AnyConfigKey] = [field, target, format, precision, TransformKeys.replaceNull]
    private static let purpose = "converting timestamp formats"

    private let part: RecordPart
    private let field: String
    private let target: Form
    private let format: JavaDateFormat?
    private let precision: String
    private let replacesNull: Bool
    private let schemas = SchemaCache()

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        field = try Self.field.read(config)
        target = Form(rawValue: try Self.target.read(config)) ?? .timestamp
        precision = try Self.precision.read(config)
        replacesNull = try TransformKeys.replaceNull.read(config)
        let pattern = try Self.format.read(config)
        if pattern.isEmpty, target == .string {
            throw .config("TimestampConverter requires format option to be specified when using string timestamps")
        }
        do throws(ConnectError) { format = pattern.isEmpty ? nil : try JavaDateFormat(pattern, now: Self.now) } catch {
            throw .config(
                "Invalid value \(error.className): \(error.message) for configuration TimestampConverter requires a"
                    + " SimpleDateFormat-compatible pattern for string timestamps: \(pattern)"
            )
        }
    }

    /// The time of day decides which century a year of two digits lies in.
    private static var now: Int64 { Int64(Date.now.timeIntervalSince1970 * 1000) }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        guard let schema = data.schema else {
            guard !data.value.isNull, !field.isEmpty else {
                return part.write(SchemaAndValue(nil, try convert(data.value, nil)), to: record)
            }
            var map = try data.value.map(for: Self.purpose)
            map[field] = try convert(map[field] ?? .null, nil)
            return part.write(SchemaAndValue(nil, .map(map)), to: record)
        }
        if field.isEmpty {
            let value = try convert(data.value, try Self.form(of: schema))
            return part.write(SchemaAndValue(targetSchema(optional: schema.isOptional), value), to: record)
        }
        let source = data.value.isNull ? nil : try data.value.structure(for: Self.purpose)
        let updated = try schemas.schema(for: schema) { () throws(ConnectError) in try updatedSchema(schema) }
        guard let source else { return part.write(SchemaAndValue(updated, .null), to: record) }
        return part.write(SchemaAndValue(updated, .structure(try convert(source, updated))), to: record)
    }

    private func updatedSchema(_ schema: Schema) throws(ConnectError) -> Schema {
        var builder = SchemaBuilder(basicsOf: schema)
        for original in try schema.structFields() {
            let isTarget = original.name == field
            try builder.add(
                original.name,
                isTarget ? targetSchema(optional: original.schema.isOptional) : original.schema
            )
        }
        builder.isOptional = schema.isOptional
        if case .structure(let standIn)? = schema.defaultValue {
            builder.setDefault(unchecked: .structure(try convert(standIn, builder.build())))
        }
        return builder.build()
    }

    private func convert(_ source: StructValue, _ schema: Schema) throws(ConnectError) -> StructValue {
        var result = try StructValue(schema)
        for original in source.schema.fields {
            var value = source.value(original, orDefault: replacesNull)
            if original.name == field { value = try convert(value, try Self.form(of: original.schema)) }
            try result.set(original.name, value)
        }
        return result
    }

    private func targetSchema(optional: Bool) -> Schema {
        switch target {
        case .string: optional ? .optionalString : .string
        case .unix: optional ? .optional(.int64) : .required(.int64)
        case .date: .logical(.date, optional: optional)
        case .time: .logical(.time, optional: optional)
        case .timestamp: .logical(.timestamp, optional: optional)
        }
    }

    private static func form(of schema: Schema) throws(ConnectError) -> Form {
        switch schema.logicalType {
        case .timestamp: return .timestamp
        case .date: return .date
        case .time: return .time
        default: break
        }
        switch schema.type {
        case .string: return .string
        case .int64: return .unix
        default:
            throw ConnectError(.connect, "Schema \(schema) does not correspond to a known timestamp type format")
        }
    }

    private func convert(_ value: Value, _ known: Form?) throws(ConnectError) -> Value {
        if value.isNull { return .null }
        if let known { return written(try milliseconds(value, known)) }
        return written(try milliseconds(value, try Self.form(of: value)))
    }

    private static func form(of value: Value) throws(ConnectError) -> Form {
        switch value {
        case .date: return .timestamp
        case .int64: return .unix
        case .string: return .string
        case .number(let number) where number.isIntegral: return .unix
        default: throw .data("TimestampConverter does not support class \(value.javaClass) objects as timestamps")
        }
    }

    private func milliseconds(_ value: Value, _ source: Form) throws(ConnectError) -> Int64 {
        switch (source, value) {
        case (.string, .string(let text)):
            guard let format else {
                throw ConnectError(.nullPointer, "the option format is needed to read a timestamp from text")
            }
            guard let moment = format.milliseconds(text) else {
                throw .data("Could not parse timestamp: value (\(text)) does not match pattern (\(format.pattern))")
            }
            return moment
        case (.unix, .int64(let number)): return fromUnix(number)
        case (.unix, .number(let number)):
            guard case .int64(let whole) = number.asConnect else { break }
            return fromUnix(whole)
        case (.date, .date(let moment)), (.time, .date(let moment)), (.timestamp, .date(let moment)): return moment
        default: break
        }
        let expected =
            switch source {
            case .string: "string timestamp to be a String"
            case .unix: "Unix timestamp to be a Long"
            default: "\(source.rawValue) to be a java.util.Date"
            }
        throw .data("Expected \(expected), but found class \(value.javaClass)")
    }

    private func fromUnix(_ number: Int64) -> Int64 {
        switch precision {
        case "seconds": stuck(number, times: 1000)
        case "microseconds": number / 1000
        case "nanoseconds": number / 1_000_000
        default: number
        }
    }

    private func toUnix(_ milliseconds: Int64) -> Int64 {
        switch precision {
        case "seconds": milliseconds / 1000
        case "microseconds": stuck(milliseconds, times: 1000)
        case "nanoseconds": stuck(milliseconds, times: 1_000_000)
        default: milliseconds
        }
    }

    private func stuck(_ number: Int64, times factor: Int64) -> Int64 {
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? (number < 0 ? .min : .max) : product
    }

    private func written(_ milliseconds: Int64) -> Value {
        let startOfDay = milliseconds.dividedDown(by: 86_400_000) * 86_400_000
        switch target {
        case .string: return .string(format?.text(milliseconds) ?? "")
        case .unix: return .int64(toUnix(milliseconds))
        case .date: return .date(startOfDay)
        case .time: return .date(milliseconds - startOfDay)
        case .timestamp: return .date(milliseconds)
        }
    }
}
