internal import ConnectModel
internal import ConnectSDK

/// One byte: 1 or 0.
struct BooleanConverter: Converter {
    var rawFormat: RawFormat? { nil }

    func toConnect(topic: String, bytes: RawSpan?) throws(DataError) -> SchemaAndValue {
        guard let bytes = bytes?.array else { return SchemaAndValue(.optional(.boolean), .null) }
        guard bytes == [0] || bytes == [1] else { throw DataError("Failed to deserialize boolean: ") }
        return SchemaAndValue(.optional(.boolean), .boolean(bytes == [1]))
    }

    func fromConnect(topic: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        if let schema = data.schema, schema.type != .boolean {
            throw DataError("Invalid schema type for BooleanConverter: \(schema.type.constant)")
        }
        switch data.value {
        case .null: return nil
        case .boolean(let flag): return [flag ? 1 : 0]
        default:
            throw DataError("BooleanConverter is not compatible with objects of type class \(data.value.javaClass)")
        }
    }
}

/// Bytes as they are.
struct ByteArrayConverter: Converter {
    var rawFormat: RawFormat? { .bytes }

    func toConnect(topic: String, bytes: RawSpan?) throws(DataError) -> SchemaAndValue {
        SchemaAndValue(.optionalBytes, (bytes?.array).map { .bytes($0) } ?? .null)
    }

    func fromConnect(topic: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        if let schema = data.schema, schema.type != .bytes {
            throw DataError("Invalid schema type for ByteArrayConverter: \(schema.type.constant)")
        }
        switch data.value {
        case .null: return nil
        case .bytes(let bytes): return bytes
        default:
            throw DataError("ByteArrayConverter is not compatible with objects of type class \(data.value.javaClass)")
        }
    }
}

/// Numbers of one width, big-endian.
///
/// What counts when writing is the value's class, not its schema.
struct NumberConverter: Converter {
    private let type: SchemaType
    private let name: String
    private let width: Int

    init(_ type: SchemaType) {
        self.type = type
        switch type {
        case .int16: (name, width) = ("short", 2)
        case .int32: (name, width) = ("integer", 4)
        case .float32: (name, width) = ("float", 4)
        case .float64: (name, width) = ("double", 8)
        default: (name, width) = ("long", 8)
        }
    }

    var rawFormat: RawFormat? { nil }

    func toConnect(topic: String, bytes: RawSpan?) throws(DataError) -> SchemaAndValue {
        guard let bytes = bytes?.array else { return SchemaAndValue(.optional(type), .null) }
        guard bytes.count == width else { throw DataError("Failed to deserialize \(name): ") }
        let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let value: Value =
            switch type {
            case .int16: .int16(Int16(truncatingIfNeeded: bits))
            case .int32: .int32(Int32(truncatingIfNeeded: bits))
            case .float32: .float32(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
            case .float64: .float64(Double(bitPattern: bits))
            default: .int64(Int64(bitPattern: bits))
            }
        return SchemaAndValue(.optional(type), value)
    }

    func fromConnect(topic: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        var value = data.value
        if case .number(let number) = value { value = number.asConnect }
        switch (type, value) {
        case (_, .null): return nil
        case (.int16, .int16(let number)): return bigEndian(UInt64(UInt16(bitPattern: number)))
        case (.int32, .int32(let number)): return bigEndian(UInt64(UInt32(bitPattern: number)))
        case (.int64, .int64(let number)): return bigEndian(UInt64(bitPattern: number))
        case (.float32, .float32(let number)): return bigEndian(UInt64(number.isNaN ? 0x7FC0_0000 : number.bitPattern))
        case (.float64, .float64(let number)):
            return bigEndian(number.isNaN ? 0x7FF8_0000_0000_0000 : number.bitPattern)
        default: throw DataError("Failed to serialize to \(name) (was class \(value.javaClass)): ")
        }
    }

    private func bigEndian(_ bits: UInt64) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: bits >> UInt64((width - 1 - $0) * 8)) }
    }
}
