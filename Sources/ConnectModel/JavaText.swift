extension Value {
    /// The value as Java's `toString` prints it: `Struct{a=1}`, `{a=1, b=null}`, `Sat Jan 08 00:00:00 UTC 2022`.
    public var javaText: String {
        switch self {
        case .null: "null"
        case .boolean(let flag): flag ? "true" : "false"
        case .int8(let number): "\(number)"
        case .int16(let number): "\(number)"
        case .int32(let number): "\(number)"
        case .int64(let number): "\(number)"
        case .float32(let number): JavaNumber.text(number)
        case .float64(let number): JavaNumber.text(number)
        case .number(let number): number.isIntegral ? number.text : JavaNumber.text(number.doubleValue)
        case .string(let text): text
        case .bytes(let bytes): "[B@\(String(bytes.hashValue.magnitude & 0xFFFF_FFFF, radix: 16))"
        case .decimal(let number): number.description
        case .bigInteger(let number): number.description
        case .date(let milliseconds): CivilTime(milliseconds: milliseconds).javaText
        case .array(let elements): "[" + elements.map(\.javaText).joined(separator: ", ") + "]"
        case .map(let map):
            "{" + map.entries.map { "\($0.key.javaText)=\($0.value.javaText)" }.joined(separator: ", ") + "}"
        case .structure(let structure): structure.javaText
        }
    }
}

extension StructValue {
    /// `Struct{a=1,b=x}`; fields without value are left out.
    public var javaText: String {
        let set = schema.fields.compactMap { field in
            let value = values[field.index]  // a default does not show
            return value.isNull ? nil : "\(field.name)=\(value.javaText)"
        }
        return "Struct{" + set.joined(separator: ",") + "}"
    }
}
