internal import ConnectModel
internal import Expressions

extension Probe {
    /// Expressions of Compute and FilterBy, with fields of every kind.
    public static let expressions = Probe(
        text: "expressions",
        [
            "current_price <= target_price * 1.01 and chain in ('a', 'b')",
            "if(a is null, 'x', concat(b.c[0], \"y\", 1e3))",
            "round(-(a + b) / 3 % 7, 2) >= .5 ? not c : coalesce($key.id, `odd ``name`, 0)",
            "replace(lower(a), 'x', 'yy')", "substring(trim(a), 2, 3) = upper(b) or min(a, 2) < max(b, 1e-3)",
        ]
    ) { text in
        do throws(ExpressionError) {
            let expression = try Expression(text, roots: ["key", "topic"])
            for operand in [Operand.null, .number(Decimal(3)), .text("a'b"), .boolean(true), .other("list")] {
                do throws(ExpressionError) { _ = try expression.evaluate { _ in operand } } catch {
                    _ = error.description
                }
            }
        } catch { _ = error.description }
    }

    /// Header values, whose type is guessed from their text (SimpleHeaderConverter, InsertHeader).
    public static let headerText = Probe(
        text: "header-text",
        [
            "[1, 2, 3]", #"{"a": 1, "b": [true, null]}"#, "1.50", "true", "1e400", "2024-02-29", "22:13:20.000Z",
            "2024-02-29T22:13:20.123Z", #"["a\"b", 'c']"#, "[]", "{}", "null", "\"quoted\"",
        ]
    ) { text in
        if let data = try? HeaderText.parse(text) { _ = data.value.javaText }
    }

    /// Decimals, whole numbers of any size, Base64.
    public static let numbers = Probe(
        text: "numbers",
        [
            "1.50", "-170141183460469231731687303715884105728", "1e40", "0.000001", "+7", "AAECAwQ=",
            "99999999999999999999.5",
        ]
    ) { text in
        _ = Base64.decode(text.utf8)
        guard text.utf8.count < 400 else { return }
        if let number = BigInteger(text) { _ = (number.twosComplement, number.description, number.doubleValue) }
        guard let decimal = Decimal(text) else { return }
        _ = (decimal.doubleValue, decimal.precision, decimal.description)
        guard abs(Int(decimal.scale)) < 400 else { return }
        _ = (decimal.plainText, decimal.integerPart, decimal.shortened(toScale: 0))
        _ = (decimal.rounded(toScale: 2, .halfToEven), decimal.rescaled(3))
    }

    /// Java's date patterns, and dates in them: pattern and date with a bar between them.
    public static let dates = Probe(
        text: "dates",
        [
            "yyyy-MM-dd'T'HH:mm:ss.SSSXXX|2024-02-29T22:13:20.123+02:00",
            "EEE, d MMM yyyy HH:mm:ss z|Thu, 29 Feb 2024 22:13:20 UTC", "yyyyMMdd|20240229",
            "hh:mm a, G|10:13 PM, AD", "D/w/W/F/E/u/k/K|60/9/5/5/Thu/4/22/10", "yy''MM|24'02", "Z|+0000",
        ]
    ) { text in
        let parts = text.split(separator: "|", maxSplits: 1).map(String.init)
        guard let pattern = parts.first, let format = try? JavaDateFormat(pattern) else { return }
        for moment in [0, -62_200_000_000_000, 1_709_244_800_123, Int64.max, Int64.min] { _ = format.text(moment) }
        if parts.count > 1 { _ = format.milliseconds(parts[1]) }
    }
}
