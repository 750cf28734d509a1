import CLibXML2

/// The handler that writes to a ``Tape``: elements and text, no entities, no document type, no external anything.
func tapeHandler() -> xmlSAXHandler {
    var handler = unsafe xmlSAXHandler()
    unsafe handler.initialized = UInt32(XML_SAX2_MAGIC)
    unsafe handler.startElementNs = onStart
    unsafe handler.endElementNs = onEnd
    unsafe handler.characters = onCharacters
    unsafe handler.ignorableWhitespace = onCharacters
    unsafe handler.cdataBlock = onCharacters
    unsafe handler.internalSubset = onDocumentType
    unsafe handler.serror = onError
    return unsafe handler
}

private func tape(_ context: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Tape> {
    unsafe context.assumingMemoryBound(to: Tape.self)
}

private func onStart(
    _ context: UnsafeMutableRawPointer?,
    _ name: UnsafePointer<xmlChar>?,
    _ prefix: UnsafePointer<xmlChar>?,
    _ namespace: UnsafePointer<xmlChar>?,
    _ namespaceCount: CInt,
    _ namespaces: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?,
    _ attributeCount: CInt,
    _ defaultedCount: CInt,
    _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
) {
    guard let context = unsafe context, let name = unsafe name else { return }
    unsafe tape(context).pointee.start(name, attributes, Int(attributeCount))
}

private func onEnd(
    _ context: UnsafeMutableRawPointer?,
    _ name: UnsafePointer<xmlChar>?,
    _ prefix: UnsafePointer<xmlChar>?,
    _ namespace: UnsafePointer<xmlChar>?
) {
    guard let context = unsafe context else { return }
    unsafe tape(context).pointee.end()
}

private func onCharacters(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<xmlChar>?, _ count: CInt) {
    guard let context = unsafe context, let bytes = unsafe bytes else { return }
    unsafe tape(context).pointee.characters(bytes, Int(count))
}

private func onDocumentType(
    _ context: UnsafeMutableRawPointer?,
    _ name: UnsafePointer<xmlChar>?,
    _ publicID: UnsafePointer<xmlChar>?,
    _ systemID: UnsafePointer<xmlChar>?
) {
    guard let context = unsafe context else { return }
    let tape = unsafe tape(context)
    unsafe tape.pointee.refusal = .documentType(name.map { unsafe String(cString: $0) } ?? "")
    if let parser = unsafe tape.pointee.context { unsafe xmlStopParser(parser) }
}

private func onError(_ context: UnsafeMutableRawPointer?, _ error: xmlErrorPtr?) {
    guard let context = unsafe context, let error = unsafe error?.pointee else { return }
    let tape = unsafe tape(context)
    // Warnings and namespace slips do not spoil a document; only the first fatal error says what is wrong.
    guard unsafe error.level == XML_ERR_FATAL, unsafe tape.pointee.failure == nil else { return }
    let message = unsafe error.message.map { unsafe String(cString: $0) } ?? "error \(error.code)"
    let trimmed = message.split(separator: "\n").first.map(String.init) ?? message
    unsafe tape.pointee.failure = unsafe (error.code, trimmed, Int(error.line), Int(error.int2))
}
