import XMLReading

/// The names of one document, lower-cased, and what the reader has to know about each.
///
/// Tags are compared without regard to case: `ItemCode`, `ITEMCODE` and `itemcode` are one field.
struct FieldTable {
    /// A field's number; names that differ in case only share it.
    typealias Field = Int

    private(set) var names: [String] = []
    /// `"itemcode":` for the row.
    private(set) var keys: [[UInt8]] = []
    /// Which families' lists carry this name, as bits of ``PriceFileType/Family``.
    private(set) var lists: [UInt8] = []
    /// 1 for elements that hold a list of the same things, 2 for those things.
    private(set) var repeats: [UInt8] = []
    /// Where the key template wants the value; -1 mostly.
    private(set) var captures: [Int] = []
    /// Whether a row had it, so that a late header must not.
    var isInRows: [Bool] = []
    private var numbers: [String: Field] = [:]
    private var ofTag: [Field] = []
    private let captured: [String]

    init(captured: [String]) {
        self.captured = captured
    }

    /// The field of a tag of `reader`.
    mutating func field(_ tag: Int32, _ reader: XMLReader) -> Field {
        let tag = Int(tag)
        while ofTag.count <= tag { ofTag.append(number(reader.name(Int32(ofTag.count)).lowercased())) }
        return ofTag[tag]
    }

    func isList(_ field: Field, _ family: PriceFileType.Family?) -> Bool {
        guard let family else { return lists[field] != 0 }
        return lists[field] & 1 << UInt8(family.rawValue) != 0
    }

    /// Promotion items, groups and clubs are lists in every row, however many there are: a reader's column keeps its type.
    func isAlwaysList(_ field: Field, in parent: Field) -> Bool { repeats[parent] == 1 && repeats[field] == 2 }

    private mutating func number(_ name: String) -> Field {
        if let known = numbers[name] { return known }
        let field = names.count
        numbers[name] = field
        names.append(name)
        keys.append(Array("\"\(name)\":".utf8))  // XML names hold no character that JSON escapes
        lists.append(Self.families(name))
        let isContainer = ["promotionitems", "groups", "clubs"].contains(name)
        repeats.append(isContainer ? 1 : ["item", "promotionitem", "group", "clubid"].contains(name) ? 2 : 0)
        captures.append(captured.firstIndex(of: name) ?? -1)
        isInRows.append(false)
        return field
    }

    private static func families(_ name: String) -> UInt8 {
        switch name {
        case "items", "products", "newdataset": 1 << UInt8(PriceFileType.Family.price.rawValue)
        case "promotions", "sales": 1 << UInt8(PriceFileType.Family.promo.rawValue)
        case "details":
            1 << UInt8(PriceFileType.Family.price.rawValue) | 1 << UInt8(PriceFileType.Family.promo.rawValue)
        case "stores", "branches", "subchainstoresxmlobject": 1 << UInt8(PriceFileType.Family.stores.rawValue)
        default: 0
        }
    }
}
