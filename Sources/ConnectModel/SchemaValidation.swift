extension Schema {
    /// Throws a `DataException` when the value does not fit; `field` names the place in the message.
    public func validate(_ value: Value, field: String? = nil) throws(ConnectError) {
        try validate(value, at: field.map { "field: \"\($0)\"" } ?? "value")
    }

    private func validate(_ value: Value, at location: @autoclosure () -> String) throws(ConnectError) {
        if value.isNull {
            if isOptional { return }
            throw .data("Invalid value: null used for required \(location()), schema type: \(type.constant)")
        }
        guard fits(value) else {
            let called = name.map { " \"\($0)\"" } ?? ""
            throw .data(
                "Invalid Java object for schema\(called) with type \(type.constant): class \(value.javaClass)"
                    + " for \(location())"
            )
        }
        switch value {
        case .structure(let structure):
            guard structure.schema == self else { throw .data("Struct schemas do not match.") }
            try structure.validate()
        case .array(let elements):
            let place = "element of array \(location())"
            guard let valueSchema else { throw .data("No schema defined for \(place)") }
            for element in elements { try valueSchema.validate(element, at: place) }
        case .map(let map):
            let (keyPlace, valuePlace) = ("key of map \(location())", "value of map \(location())")
            guard let keySchema else { throw .data("No schema defined for \(keyPlace)") }
            guard let valueSchema else { throw .data("No schema defined for \(valuePlace)") }
            for entry in map.entries {
                try keySchema.validate(entry.key, at: keyPlace)
                try valueSchema.validate(entry.value, at: valuePlace)
            }
        default: break
        }
    }

    /// Whether the value's class is the one the type, or the logical type by its name, calls for.
    private func fits(_ value: Value) -> Bool {
        switch (logicalType, value) {
        case (.decimal, .decimal), (.date, .date), (.time, .date), (.timestamp, .date): true
        case (.some, _): false
        case (nil, .decimal), (nil, .date), (nil, .bigInteger): false
        default: value.inferredType == type
        }
    }
}
