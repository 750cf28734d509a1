internal import ConnectConfig
internal import ConnectModel

/// Replaces the key or value by one of its fields.
struct ExtractField: Transform {
    static let field = ConfigKey<String>.string("field", "The field whose value takes the place of the whole.")
    static let keys: [any AnyConfigKey] = [field, TransformKeys.replaceNull, FieldPath.syntaxKey]
    private static let purpose = "field extraction"

    private let part: RecordPart
    private let name: String
    private let path: FieldPath
    private let replacesNull: Bool

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        name = try Self.field.read(config)
        path = try FieldPath(name, try FieldPath.syntaxKey.read(config))
        replacesNull = try TransformKeys.replaceNull.read(config)
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        guard let schema = data.schema else {
            let value = data.value.isNull ? .null : try path.value(in: data.value.map(for: Self.purpose))
            return part.write(SchemaAndValue(nil, value), to: record)
        }
        let source = data.value.isNull ? nil : try data.value.structure(for: Self.purpose)
        guard let field = try path.field(in: schema) else {
            throw ConnectError(.illegalArgument, "Unknown field: \(name)")
        }
        let value = try source.map { source throws(ConnectError) in
            try path.value(in: source, orDefault: replacesNull)
        }
        return part.write(SchemaAndValue(field.schema, value ?? .null), to: record)
    }
}

/// Puts the key or value into a field of a new struct or map.
struct HoistField: Transform {
    static let field = ConfigKey<String>.string("field", "The name of the one field that the new struct or map has.")
    static let keys: [any AnyConfigKey] = [field]

    private let part: RecordPart
    private let name: String
    private let schemas = SchemaCache()

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        name = try Self.field.read(config)
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        guard let schema = data.schema else {
            let map = MapValue([.init(key: .string(name), value: data.value)])
            return part.write(SchemaAndValue(nil, .map(map)), to: record)
        }
        let updated = try schemas.schema(for: schema) { () throws(ConnectError) in
            var builder = SchemaBuilder(.structure)
            try builder.add(name, schema)
            return builder.build()
        }
        var structure = try StructValue(updated)
        try structure.set(name, data.value)
        return part.write(SchemaAndValue(updated, .structure(structure)), to: record)
    }
}

/// Makes the key out of fields of the value.
struct ValueToKey: Transform {
    static let fields = TransformKeys.distinctList("fields", "The fields of the value that make up the new key.")
    static let keys: [any AnyConfigKey] = [fields, TransformKeys.replaceNull]
    private static let purpose = "copying fields from value to key"

    private let fields: [String]
    private let replacesNull: Bool
    private let schemas = SchemaCache()

    init(_ config: [String: String]) throws(ConnectError) {
        fields = try Self.fields.read(config)
        replacesNull = try TransformKeys.replaceNull.read(config)
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        var changed = record
        guard record.value.schema != nil else {
            let map = try record.value.value.map(for: Self.purpose)
            let entries = fields.map { MapValue.Entry(key: .string($0), value: map[$0] ?? .null) }
            changed.key = SchemaAndValue(nil, .map(MapValue(entries)))
            return changed
        }
        let source = try record.value.value.structure(for: Self.purpose)
        let schema = try schemas.schema(for: source.schema) { () throws(ConnectError) in
            var builder = SchemaBuilder(.structure)
            for name in fields {
                guard let field = source.schema.field(name) else { throw .data("Field does not exist: \(name)") }
                try builder.add(name, field.schema)
            }
            return builder.build()
        }
        var key = try StructValue(schema)
        for field in schema.fields {
            if let original = source.schema.field(field.name) {
                try key.set(field, source.value(original, orDefault: replacesNull))
            }
        }
        changed.key = SchemaAndValue(schema, .structure(key))
        return changed
    }
}

/// Leaves fields out and renames others.
struct ReplaceField: Transform {
    static let exclude = TransformKeys.distinctList(
        "exclude",
        default: [],
        importance: .medium,
        "Fields to leave out. It goes before include."
    )
    static let include = TransformKeys.distinctList(
        "include",
        default: [],
        importance: .medium,
        "Fields to keep; all others are left out."
    )
    static let renames = ConfigKey<[String]>(
        "renames",
        type: .list,
        default: [],
        defaultText: "",
        importance: .medium,
        valid: "list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>",
        "Fields to rename, as old:new pairs."
    ) { text throws(ConfigIssue.Reason) in
        let items = try TransformKeys.items(text, .list("renames", ""))
        for item in items where javaSplit(item, by: ":").count != 2 {
            throw ConfigIssue.Reason("Invalid rename mapping: \(item)").showing("[\(items.joined(separator: ", "))]")
        }
        return items
    }
    static let keys: [any AnyConfigKey] = [exclude, include, renames, TransformKeys.replaceNull]
    private static let purpose = "field replacement"

    private let part: RecordPart
    private let excluded: Set<String>
    private let included: Set<String>
    private let newNames: [String: String]
    private let oldNames: [String: String]
    private let replacesNull: Bool
    private let schemas = SchemaCache()

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        excluded = Set(try Self.exclude.read(config))
        included = Set(try Self.include.read(config))
        let pairs = try Self.renames.read(config).map { javaSplit($0, by: ":") }
        newNames = Dictionary(pairs.map { ($0[0], $0[1]) }) { $1 }
        oldNames = Dictionary(newNames.map { ($0.value, $0.key) }) { $1 }
        replacesNull = try TransformKeys.replaceNull.read(config)
    }

    private func isKept(_ name: String) -> Bool {
        !excluded.contains(name) && (included.isEmpty || included.contains(name))
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        if data.value.isNull { return record }
        guard let schema = data.schema else {
            let map = try data.value.map(for: Self.purpose)
            var entries: [MapValue.Entry] = []
            for entry in map.entries {
                guard case .string(let name) = entry.key else {
                    entries.append(entry)
                    continue
                }
                if isKept(name) { entries.append(.init(key: .string(newNames[name] ?? name), value: entry.value)) }
            }
            return part.write(SchemaAndValue(nil, .map(MapValue(lastOfEachKey: entries))), to: record)
        }
        let source = try data.value.structure(for: Self.purpose)
        let updated = try schemas.schema(for: schema) { () throws(ConnectError) in
            var builder = SchemaBuilder(basicsOf: schema)
            for field in schema.fields where isKept(field.name) {
                try builder.add(newNames[field.name] ?? field.name, field.schema)
            }
            return builder.build()
        }
        var result = try StructValue(updated)
        for field in updated.fields {
            let name = oldNames[field.name] ?? field.name
            if let original = source.schema.field(name) {
                try result.set(field, source.value(original, orDefault: replacesNull))
            }
        }
        return part.write(SchemaAndValue(updated, .structure(result)), to: record)
    }
}
