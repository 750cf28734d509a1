import XMLReading

/// Turns the elements inside one row into one JSON object, written as they come.
///
/// Every text is a string, exactly as it stands in the file; an element with elements inside is an object; what repeats
/// is a list. Only an object with repetitions is written a second time, when it ends.
struct RowWriter {
    private struct Member {
        var field: FieldTable.Field
        var value: Range<Int>
        var next = -1
        var isFirst = true
    }
    private struct Object {
        var field: FieldTable.Field
        var start: Int
        var firstMember: Int
        var hasLists = false
        var serial: Int
    }
    private struct Seen {
        var serial = 0
        var member = 0
    }

    /// The frames of finished rows and the beginning of the current one; see ``RowSpool``.
    var bytes: [UInt8] = []
    /// Texts for the key template, by slot.
    private(set) var captured: [[UInt8]]
    private var objects: [Object] = []
    private var members: [Member] = []
    /// Per depth and field: the last object that had the field, and as which member.
    private var seen: [[Seen]] = []
    private var serial = 0
    private var scratch: [UInt8] = []

    init(captures: Int) {
        captured = Array(repeating: [], count: captures)
    }

    var isInRow: Bool { !objects.isEmpty }

    /// Whether the current row has this field at its top.
    func hasField(_ field: FieldTable.Field) -> Bool {
        guard let row = objects.first, field < seen[0].count else { return false }
        return seen[0][field].serial == row.serial
    }

    /// Where the current row's own fields begin.
    var rowStart: Int { objects.first?.start ?? bytes.count }

    mutating func startRow(_ field: FieldTable.Field) {
        for index in captured.indices { captured[index].removeAll(keepingCapacity: true) }
        members.removeAll(keepingCapacity: true)
        push(field)
    }

    mutating func startObject(_ field: FieldTable.Field, _ table: FieldTable) {
        writeKey(field, table)
        bytes.append(UInt8(ascii: "{"))
        push(field)
    }

    mutating func leaf(_ event: XMLEvent, _ field: FieldTable.Field, _ table: inout FieldTable, _ reader: XMLReader) {
        if objects.count == 1 {
            table.isInRows[field] = true
            let slot = table.captures[field]
            if slot >= 0, captured[slot].isEmpty { reader.appendText(of: event, to: &captured[slot]) }
        }
        writeKey(field, table)
        let start = bytes.count
        if table.repeats[field] == 1, reader.isBlank(event) {
            bytes.append(UInt8(ascii: "{"))
            bytes.append(UInt8(ascii: "}"))
        } else {
            bytes.append(UInt8(ascii: "\""))
            reader.appendJSONText(of: event, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        note(field, start..<bytes.count, table)
    }

    /// Ends the innermost object; true when that was the row itself.
    mutating func end(_ table: inout FieldTable) -> Bool {
        guard let object = objects.last else { return true }
        if object.hasLists { regroup(object, table) }
        members.removeSubrange(object.firstMember...)
        if objects.count == 1 { return true }
        objects.removeLast()
        bytes.append(UInt8(ascii: "}"))
        if objects.count == 1 { table.isInRows[object.field] = true }
        note(object.field, (object.start - 1)..<bytes.count, table)
        return false
    }

    /// Forgets the row's state after its frame is complete.
    mutating func closeRow() { objects.removeAll(keepingCapacity: true) }

    private mutating func push(_ field: FieldTable.Field) {
        serial += 1
        objects.append(Object(field: field, start: bytes.count, firstMember: members.count, serial: serial))
        if seen.count < objects.count { seen.append([]) }
    }

    private mutating func writeKey(_ field: FieldTable.Field, _ table: FieldTable) {
        if bytes.count > objects[objects.count - 1].start { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: table.keys[field])
    }

    private mutating func note(_ field: FieldTable.Field, _ value: Range<Int>, _ table: FieldTable) {
        let depth = objects.count - 1
        while seen[depth].count <= field { seen[depth].append(Seen()) }
        var member = Member(field: field, value: value)
        if seen[depth][field].serial == objects[depth].serial {
            members[seen[depth][field].member].next = members.count
            member.isFirst = false
            objects[depth].hasLists = true
        } else if depth > 0, table.isAlwaysList(field, in: objects[depth].field) {
            objects[depth].hasLists = true
        }
        seen[depth][field] = Seen(serial: objects[depth].serial, member: members.count)
        members.append(member)
    }

    /// Writes the object again with its repeated fields as lists, each at the place of the first.
    private mutating func regroup(_ object: Object, _ table: FieldTable) {
        scratch.removeAll(keepingCapacity: true)
        for index in object.firstMember..<members.count where members[index].isFirst {
            let member = members[index]
            if !scratch.isEmpty { scratch.append(UInt8(ascii: ",")) }
            scratch.append(contentsOf: table.keys[member.field])
            let isList = member.next >= 0 || (objects.count > 1 && table.isAlwaysList(member.field, in: object.field))
            if isList { scratch.append(UInt8(ascii: "[")) }
            scratch.append(contentsOf: bytes[member.value])
            var next = member.next
            while next >= 0 {
                scratch.append(UInt8(ascii: ","))
                scratch.append(contentsOf: bytes[members[next].value])
                next = members[next].next
            }
            if isList { scratch.append(UInt8(ascii: "]")) }
        }
        bytes.removeSubrange(object.start...)
        bytes.append(contentsOf: scratch)
    }
}
