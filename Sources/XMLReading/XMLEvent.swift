/// One thing that happened in a document.
///
/// Elements come in two kinds, told apart when the next tag is read: a *leaf* has no element inside, so its text is its
/// value (perhaps empty, perhaps with line breaks); any other element is a *start*, what is inside, and an *end*.
/// Attributes follow their leaf or start.
public struct XMLEvent: Sendable, Hashable {
    /// What happened.
    public enum Kind: UInt8, Sendable, Hashable {
        /// An element with elements inside begins.
        case start
        /// A whole element without elements inside.
        case leaf
        /// The innermost open element ends; its name is not repeated.
        case end
        /// An attribute of the leaf or start before.
        case attribute
    }

    /// What happened.
    public internal(set) var kind: Kind
    /// The local name's number within this reader, see ``XMLReader/name(_:)``; -1 for an end.
    public let name: Int32
    /// Where the text lies on the reader's tape.
    var textStart: UInt32
    var textCount: UInt32

    /// How many bytes of UTF-8 the text of a leaf or attribute has.
    public var length: Int { Int(textCount) }
}
