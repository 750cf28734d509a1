/// A table's name, with its schema or without (then `search_path` decides).
public struct PostgresName: Hashable, Sendable, CustomStringConvertible {
    /// The schema; nil leaves it to `search_path`.
    public let schema: String?
    /// The table.
    public let name: String

    /// Takes the parts as they are.
    public init(schema: String? = nil, _ name: String) { (self.schema, self.name) = (schema, name) }

    /// Reads `table`, `schema.table` or `"Schema"."ta.ble"`; case is kept as written.
    ///
    /// A third part in front (a database, as JDBC catalogues have it) is dropped, as PostgreSQL cannot reach another one.
    public init(parsing text: String) {
        var parts: [String] = [""]
        var isQuoted = false
        var previousClosed = false
        for character in text.unicodeScalars {
            if character == "\"" {
                // A doubled quote inside quotes stands for itself.
                if !isQuoted && previousClosed { parts[parts.count - 1].append("\"") }
                previousClosed = isQuoted
                isQuoted.toggle()
                continue
            }
            previousClosed = false
            if character == "." && !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].unicodeScalars.append(character)
            }
        }
        name = parts[parts.count - 1]
        schema = parts.count > 1 ? parts[parts.count - 2] : nil
    }

    /// For SQL text: `"schema"."table"`.
    public var quoted: String { (schema.map { quotedIdentifier($0) + "." } ?? "") + quotedIdentifier(name) }
    /// For people: `schema.table`.
    public var description: String { (schema.map { $0 + "." } ?? "") + name }
}

/// An identifier for SQL text, whatever is in it: `a"b` becomes `"a""b"`.
///
/// Safe because every session here speaks UTF-8 (`client_encoding`), in which a quote is never part of another character.
public func quotedIdentifier(_ name: String) -> String { quoted(name, with: "\"") }

/// A text literal for SQL text: `it's` becomes `'it''s'`; sessions here have `standard_conforming_strings` on.
public func quotedLiteral(_ text: String) -> String { quoted(text, with: "'") }

// By scalars: a quote with a combining mark after it is another Character, but still a quote to the server.
private func quoted(_ text: String, with quote: Unicode.Scalar) -> String {
    var result = String.UnicodeScalarView([quote])
    for scalar in text.unicodeScalars {
        if scalar == quote { result.append(quote) }
        // A NUL ends a C string: what follows would be cut off in silence.
        if scalar != "\0" { result.append(scalar) }
    }
    result.append(quote)
    return String(result)
}
