internal import ConnectModel
internal import ConnectSDK

/// Writes header values as text and guesses their types when it reads them.
struct SimpleHeaderConverter: HeaderConverter {
    func toConnectHeader(topic: String, name: String, bytes: [UInt8]?) throws(DataError) -> SchemaAndValue {
        guard let bytes else { return .null }
        let text = String(decoding: bytes, as: UTF8.self)
        do throws(ConnectError) { return try HeaderText.parse(text) } catch {
            return SchemaAndValue(.bytes, .bytes(bytes))
        }
    }

    func fromConnectHeader(topic: String, name: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        guard !data.value.isNull else { return nil }
        return Array(HeaderText.text(data.value).utf8)
    }
}
