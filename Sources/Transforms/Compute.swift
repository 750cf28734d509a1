internal import ConnectConfig
internal import ConnectModel
internal import Expressions

/// Sets a field of the value to what an expression gives.
struct Compute: Transform {
    /// The type of the field.
    enum Kind: String, CaseIterable, Sendable {
        case auto, boolean, string, int32, int64, float64, decimal
    }
    static let field = ConfigKey<String>.string(
        "field",
        nonEmpty: true,
        importance: .high,
        "The field of the value to set; it is added, or replaced where it stands."
    )
    static let expression = ExpressionKeys.expression(
        "expression",
        "What the field is set to, for example `round(price * quantity, 2)`; Docs/expressions.md has the language."
    )
    static let kind = ConfigKey<Kind>.choice(
        "result.type",
        default: .auto,
        "The field's type. auto takes what the expression gives: a boolean, a text or a number, which is a decimal of `scale` "
            + "digits in records with a schema and an exact JSON number in others."
    )
    static let scale = ConfigKey<Int>.int(
        "scale",
        in: 0...100,
        default: 6,
        importance: .low,
        "Digits after the point of a decimal; more are rounded, halves away from zero."
    )
    static let keys: [any AnyConfigKey] = [
        field, expression, kind, scale, ExpressionKeys.onError, ExpressionKeys.onMissing,
    ]
    private static let purpose = "computing a field"

    private let field: String
    private let expression: Expression
    private let kind: Kind
    private let scale: Int32
    private let onError: ExpressionKeys.OnError
    private let onMissing: ExpressionScope.Missing
    private let schemas = SchemaCache()

    init(_ config: [String: String]) throws(ConnectError) {
        field = try Self.field.read(config)
        expression = try Self.expression.read(config)
        kind = try Self.kind.read(config)
        scale = Int32(try Self.scale.read(config))
        onError = try ExpressionKeys.onError.read(config)
        onMissing = try ExpressionKeys.onMissing.read(config)
        guard let found = expression.kind, !Self.takes(kind, found) else { return }
        throw .invalid(kind.rawValue, for: Self.kind.name, "the expression \"\(expression)\" gives a \(found)")
    }

    private static func takes(_ kind: Kind, _ found: Operand.Kind) -> Bool {
        switch kind {
        case .auto, .string: true
        case .boolean: found == .boolean
        case .int32, .int64, .float64, .decimal: found == .number
        }
    }

    /// A tombstone has no fields to set and goes on as it is.
    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        if record.value.value.isNull { return record }
        let result = try ExpressionKeys.value(of: expression, record, onMissing, onError)
        var changed = record
        guard record.value.schema != nil else {
            var map = try record.value.value.map(for: Self.purpose)
            map[field] = try tolerant { () throws(ConnectError) in try value(result, hasSchema: false) }
            changed.value = SchemaAndValue(nil, .map(map))
            return changed
        }
        let source = try record.value.value.structure(for: Self.purpose)
        let target = try schemas.schema(for: source.schema) { () throws(ConnectError) in try schema(source.schema) }
        var structure = try StructValue(target)
        for field in source.schema.fields where field.name != self.field {
            guard let place = target.field(field.name) else { continue }
            structure.set(unchecked: source.values[field.index], at: place.index)
        }
        try structure.set(field, tolerant { () throws(ConnectError) in try value(result, hasSchema: true) })
        changed.value = SchemaAndValue(target, .structure(structure))
        return changed
    }
    private func tolerant(_ make: () throws(ConnectError) -> Value) throws(ConnectError) -> Value {
        do throws(ConnectError) { return try make() } catch {
            if onError == .null { return .null }
            throw error
        }
    }

    private func schema(_ source: Schema) throws(ConnectError) -> Schema {
        var builder = SchemaBuilder(basicsOf: source)
        let own = try fieldSchema()
        for field in source.fields { try builder.add(field.name, field.name == self.field ? own : field.schema) }
        if source.field(field) == nil { try builder.add(field, own) }
        return builder.build()
    }
    private func fieldSchema() throws(ConnectError) -> Schema {
        switch (kind, expression.kind) {
        case (.boolean, _), (.auto, .boolean?): return .optional(.boolean)
        case (.string, _), (.auto, .text?): return .optional(.string)
        case (.int32, _): return .optional(.int32)
        case (.int64, _): return .optional(.int64)
        case (.float64, _): return .optional(.float64)
        case (.decimal, _), (.auto, .number?): return .decimal(scale: scale, optional: true)
        case (.auto, nil):
            throw .data(
                "the type of \"\(expression)\" depends on its fields; set `result.type` for records with a schema"
            )
        }
    }

    private func value(_ result: Operand, hasSchema: Bool) throws(ConnectError) -> Value {
        switch (kind, result) {
        case (_, .null): return .null
        case (.auto, .boolean(let flag)), (.boolean, .boolean(let flag)): return .boolean(flag)
        case (.auto, .text(let text)), (.string, .text(let text)): return .string(text)
        case (.string, .boolean(let flag)): return .string(flag ? "true" : "false")
        case (.string, .number(let number)): return .string(number.plainText)
        case (.auto, .number(let number)):
            if hasSchema { return .decimal(try decimal(number)) }
            if number.scale <= 0, let whole = number.rescaled(0)?.unscaled.int64 { return .int64(whole) }
            return .number(JSONNumber(text: number.plainText))
        case (.decimal, .number(let number)): return .decimal(try decimal(number))
        case (.float64, .number(let number)): return .float64(number.doubleValue)
        case (.int32, .number(let number)):
            guard let whole = whole(number), let small = Int32(exactly: whole) else {
                throw misfit("a whole number of 32 bits")
            }
            return .int32(small)
        case (.int64, .number(let number)):
            guard let whole = whole(number) else { throw misfit("a whole number of 64 bits") }
            return .int64(whole)
        default: throw misfit("of type \(kind.rawValue)", "a value of kind \(result.kindName)")
        }
    }
    private func decimal(_ number: Decimal) throws(ConnectError) -> Decimal {
        guard let exact = number.rounded(toScale: scale, .halfUp).rescaled(scale) else { throw misfit("a decimal") }
        return exact
    }
    private func whole(_ number: Decimal) -> Int64? { number.shortened(toScale: 0).rescaled(0)?.unscaled.int64 }
    private func misfit(_ wanted: String, _ found: String = "its value") -> ConnectError {
        .data("expression \"\(expression)\": \(found) is not \(wanted), as field \(field) needs it")
    }
}
