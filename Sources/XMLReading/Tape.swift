import CLibXML2

/// What the parser's callbacks write: events and text, in memory that grows to what one input piece needs.
///
/// The callbacks run in C a few million times a second; they get a plain pointer to this struct, so that no reference
/// is counted there.
@safe struct Tape {
    private(set) var events: UnsafeMutablePointer<XMLEvent>
    private(set) var eventCount = 0
    private var eventCapacity = 1_024
    private(set) var text: UnsafeMutablePointer<UInt8>
    private var textCount = 0
    private var textCapacity = 64 << 10
    /// The last start, as long as it is not known whether elements follow inside; -1 when there is none.
    private var open = -1
    private(set) var names = NameTable()
    let textLimit: Int
    /// Elements may be nested this deep.
    static let depthLimit = 256
    /// How many elements are open.
    private(set) var depth = 0
    /// Whether there was an element.
    private(set) var hasRoot = false

    /// Why the document is refused, noticed inside a callback.
    enum Refusal { case documentType(String), tooLong, tooDeep }
    var refusal: Refusal?
    /// The first fatal error of the parser.
    var failure: (code: Int32, message: String, line: Int, column: Int)?
    /// How many pieces of non-blank text stood between elements, and the line of the first.
    private(set) var strayTexts = 0
    private(set) var strayLine = 0
    /// The parser, to stop it and to ask for its line.
    var context: xmlParserCtxtPtr?

    init(textLimit: Int) {
        self.textLimit = textLimit
        textCapacity = min(textCapacity, textLimit)
        unsafe events = .allocate(capacity: eventCapacity)
        unsafe text = .allocate(capacity: textCapacity)
    }

    func deallocate() {
        unsafe events.deallocate()
        unsafe text.deallocate()
        names.deallocate()
    }

    /// How many events are final.
    var resolved: Int { open >= 0 ? open : eventCount }

    mutating func start(
        _ name: UnsafePointer<xmlChar>,
        _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?,
        _ count: Int
    ) {
        if open >= 0 {
            let event = unsafe events[open]
            unsafe noteStray(text + Int(event.textStart), textCount - Int(event.textStart))
            textCount = Int(event.textStart)
        }
        (hasRoot, depth) = (true, depth + 1)
        if depth > Self.depthLimit { refuse(.tooDeep) }
        open = eventCount
        unsafe push(.start, names.id(of: name))
        if count > 0, let attributes = unsafe attributes { unsafe addAttributes(attributes, count) }
        unsafe events[open].textStart = UInt32(textCount)
    }

    mutating func end() {
        depth -= 1
        guard open >= 0 else { return push(.end, -1) }
        unsafe events[open].kind = .leaf
        unsafe events[open].textCount = UInt32(textCount) - events[open].textStart
        open = -1
    }

    mutating func characters(_ bytes: UnsafePointer<xmlChar>, _ count: Int) {
        guard open >= 0 else { return unsafe noteStray(bytes, count) }
        unsafe append(bytes, count)
    }

    /// Forgets all final events and their text; an open start moves to the front.
    mutating func discard() {
        guard open >= 0 else {
            (eventCount, textCount) = (0, 0)
            return
        }
        let kept = eventCount - open
        // The texts of an open start's attributes come right before its own.
        let from = kept > 1 ? unsafe Int(events[open + 1].textStart) : unsafe Int(events[open].textStart)
        unsafe events.update(from: events + open, count: kept)
        for index in 0..<kept { unsafe events[index].textStart -= UInt32(from) }
        unsafe text.update(from: text + from, count: textCount - from)
        (eventCount, textCount, open) = (kept, textCount - from, 0)
    }

    private mutating func addAttributes(_ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>, _ count: Int) {
        for index in 0..<count {
            // libxml2 gives five pointers each: name, prefix, namespace, value, end of value.
            guard let name = unsafe attributes[index * 5], let value = unsafe attributes[index * 5 + 3],
                let end = unsafe attributes[index * 5 + 4]
            else { continue }
            unsafe push(.attribute, names.id(of: name))
            let length = unsafe end - value
            unsafe append(value, length)
            unsafe events[eventCount - 1].textCount = UInt32(length)
        }
    }

    private mutating func push(_ kind: XMLEvent.Kind, _ name: Int32) {
        if eventCount == eventCapacity {
            let larger = UnsafeMutablePointer<XMLEvent>.allocate(capacity: eventCapacity * 2)
            unsafe larger.moveInitialize(from: events, count: eventCount)
            unsafe events.deallocate()
            unsafe events = larger
            eventCapacity *= 2
        }
        let event = XMLEvent(kind: kind, name: name, textStart: UInt32(textCount), textCount: 0)
        unsafe (events + eventCount).initialize(to: event)
        eventCount += 1
    }

    private mutating func append(_ bytes: UnsafePointer<xmlChar>, _ count: Int) {
        if textCount + count > textCapacity {
            guard textCount + count <= textLimit else {
                return refuse(.tooLong)
            }
            let capacity = max(textCapacity * 2, textCount + count)
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            unsafe larger.moveInitialize(from: text, count: textCount)
            unsafe text.deallocate()
            unsafe text = larger
            textCapacity = capacity
        }
        unsafe (text + textCount).update(from: bytes, count: count)
        textCount += count
    }

    private mutating func refuse(_ reason: Refusal) {
        if refusal == nil { refusal = reason }
        if let context = unsafe context { unsafe xmlStopParser(context) }
    }

    private mutating func noteStray(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        for index in 0..<count where unsafe bytes[index] > 0x20 {
            if strayTexts == 0, let context = unsafe context, let input = unsafe context.pointee.input {
                strayLine = unsafe Int(input.pointee.line)
            }
            strayTexts += 1
            return
        }
    }
}

/// Numbers for element and attribute names, found by the address that libxml2's dictionary gives each name once.
@safe struct NameTable {
    private var slots: UnsafeMutablePointer<(key: UnsafePointer<xmlChar>?, id: Int32)>
    private var capacity = 256
    private(set) var names: [String] = []

    init() {
        unsafe slots = .allocate(capacity: 256)
        unsafe slots.initialize(repeating: (nil, 0), count: 256)
    }

    func deallocate() { unsafe slots.deallocate() }

    mutating func id(of name: UnsafePointer<xmlChar>) -> Int32 {
        let slot = unsafe slot(for: name)
        if unsafe slots[slot].key != nil { return unsafe slots[slot].id }
        let id = Int32(names.count)
        unsafe names.append(String(cString: name))
        unsafe slots[slot] = (name, id)
        if names.count * 2 > capacity { grow() }
        return id
    }

    private func slot(for name: UnsafePointer<xmlChar>) -> Int {
        let mixed = UInt(bitPattern: name) &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(mixed >> 32) & (capacity - 1)
        while let key = unsafe slots[slot].key, unsafe key != name { slot = (slot + 1) & (capacity - 1) }
        return slot
    }

    private mutating func grow() {
        let (old, count) = unsafe (slots, capacity)
        capacity *= 2
        unsafe slots = .allocate(capacity: capacity)
        unsafe slots.initialize(repeating: (nil, 0), count: capacity)
        for index in 0..<count {
            if let key = unsafe old[index].key { unsafe slots[slot(for: key)] = unsafe (key, old[index].id) }
        }
        unsafe old.deallocate()
    }
}
