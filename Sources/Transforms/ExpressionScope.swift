internal import ConnectConfig
internal import ConnectModel
internal import Expressions

/// What expressions read of a record: the value's fields by name, everything else after a `$`.
struct ExpressionScope {
    /// What a field that does not exist counts as.
    enum Missing: String, CaseIterable, Sendable {
        case null
        case fail
    }
    static let roots: Set<String> = ["value", "key", "topic", "partition", "offset", "timestamp", "headers"]

    let record: ConnectRecord
    let missing: Missing

    func operand(_ field: FieldReference) throws(LookupError) -> Operand {
        switch field.root {
        case nil, "value": Self.operand(try value(record.value.value, field.steps[...]))
        case "key": Self.operand(try value(record.key.value, field.steps[...]))
        case "headers": Self.operand(try header(field.steps[...]))
        case "topic": try scalar(.text(record.topic), field)
        case "partition": try scalar(record.partition.map { .number(Decimal(Int64($0))) } ?? .null, field)
        case "offset": try scalar(record.offset.map { .number(Decimal($0)) } ?? .null, field)
        default: try scalar(record.timestamp.map { .number(Decimal($0)) } ?? .null, field)
        }
    }

    private func scalar(_ operand: Operand, _ field: FieldReference) throws(LookupError) -> Operand {
        guard field.steps.isEmpty else { throw LookupError("has no fields") }
        return operand
    }
    /// The last header of the name, as Kafka's `lastHeader`.
    private func header(_ steps: ArraySlice<FieldReference.Step>) throws(LookupError) -> Value {
        guard case .name(let name)? = steps.first else { throw LookupError("needs a header's name: $headers.name") }
        guard let found = record.headers.last(where: { $0.name == name }) else { return try absent() }
        return try value(found.value.value, steps.dropFirst())
    }
    private func absent() throws(LookupError) -> Value {
        if missing == .fail { throw LookupError("does not exist") }
        return .null
    }

    private func value(_ start: Value, _ steps: ArraySlice<FieldReference.Step>) throws(LookupError) -> Value {
        var current = start
        for step in steps {
            switch (step, current) {
            case (_, .null): return try absent()
            case (.name(let name), .map(let map)):
                guard let next = map[name] else { return try absent() }
                current = next
            case (.name(let name), .structure(let structure)):
                guard let field = structure.schema.field(name) else { return try absent() }
                current = structure.value(field)
            case (.index(let index), .array(let elements)):
                guard index < elements.count else { return try absent() }
                current = elements[index]
            case (.name, _):
                throw LookupError("is inside a value of kind \(Self.operand(current).kindName), not an object")
            case (.index, _):
                throw LookupError("is inside a value of kind \(Self.operand(current).kindName), not a list")
            }
        }
        return current
    }

    private static func operand(_ value: Value) -> Operand {
        switch value {
        case .null: .null
        case .boolean(let flag): .boolean(flag)
        case .int8(let number): .number(Decimal(Int64(number)))
        case .int16(let number): .number(Decimal(Int64(number)))
        case .int32(let number): .number(Decimal(Int64(number)))
        case .int64(let number), .date(let number): .number(Decimal(number))
        case .float32(let number): Decimal("\(number)").map(Operand.number) ?? .other("number that is not finite")
        case .float64(let number): Decimal("\(number)").map(Operand.number) ?? .other("number that is not finite")
        case .number(let number): self.number(number.text)
        case .decimal(let number): .number(number)
        case .bigInteger(let number): .number(Decimal(unscaled: number, scale: 0))
        case .string(let text): .text(text)
        case .bytes: .other("bytes")
        case .array: .other("list")
        case .map, .structure: .other("object")
        }
    }
    /// A number of a document may have a million digits; reading them all would take its time.
    private static func number(_ text: String) -> Operand {
        guard text.utf8.count <= 2 * Limits.digits, let number = Decimal(text) else {
            return .other("number of too many digits")
        }
        return .number(number)
    }
}

/// What Compute and FilterBy have in common.
enum ExpressionKeys {
    /// What an error of an expression makes of the record.
    enum OnError: String, CaseIterable, Sendable {
        case fail
        case null
    }
    static let onError = ConfigKey<OnError>.choice(
        "on.error",
        default: .fail,
        "What happens to a record whose fields the expression cannot work with (a text where a number is needed, a division "
            + "by zero): fail refuses it, so that errors.tolerance decides; null takes null for the result."
    )
    static let onMissing = ConfigKey<ExpressionScope.Missing>.choice(
        "on.missing.field",
        default: .null,
        "What a field that the record does not have counts as: null, or fail, which is an error as on.error has it."
    )
    static func expression(_ name: String, _ documentation: String) -> ConfigKey<Expression> {
        ConfigKey(
            name,
            type: .string,
            default: nil,
            defaultText: nil,
            importance: .high,
            valid: "expression",
            documentation
        ) { text throws(ConfigIssue.Reason) in
            do throws(ExpressionError) { return try Expression(text, roots: ExpressionScope.roots) } catch {
                throw ConfigIssue.Reason("at position \(error.position): \(error.reason)")
            }
        }
    }

    /// The expression's value over a record, null included for an error that counts as null.
    static func value(
        of expression: Expression,
        _ record: ConnectRecord,
        _ missing: ExpressionScope.Missing,
        _ onError: OnError
    ) throws(ConnectError) -> Operand {
        let scope = ExpressionScope(record: record, missing: missing)
        do throws(ExpressionError) {
            return try expression.evaluate { field throws(LookupError) in try scope.operand(field) }
        } catch {
            if onError == .null { return .null }
            throw .data("\(error)")
        }
    }
}
