public import HTTPServer

/// Lets scripts of other origins call the API: Connect's `access.control.allow.origin` and `access.control.allow.methods`.
///
/// A named origin may send credentials; `*` may not, unlike Jetty's filter in Connect, for any page a user looks at could
/// then act in the user's name.
public struct CORS: Sendable, Equatable {
    private let origins: [String]
    private let methods: [String]

    /// Both are lists with commas; nil when `origins` is empty, for then no headers are sent.
    ///
    /// An origin may hold `*` for any
    /// text. Without methods GET, POST and HEAD are allowed, as in Connect.
    public init?(origins: String, methods: String) {
        func list(_ text: String) -> [String] {
            text.split(separator: ",").map { String($0.trimmed) }.filter { !$0.isEmpty }
        }
        self.origins = list(origins)
        self.methods = list(methods).isEmpty ? ["GET", "POST", "HEAD"] : list(methods)
        if self.origins.isEmpty { return nil }
    }

    /// Adds the headers to what `next` answers; answers preflights itself.
    public func callAsFunction(next: @escaping Server.Handler) -> Server.Handler {
        { request in
            guard let origin = request.headers["Origin"], allows(origin) else { return await next(request) }
            let isPreflight = request.method == .options && request.headers["Access-Control-Request-Method"] != nil
            var response = isPreflight ? Response(200) : await next(request)
            if origins.contains("*") {
                response.headers["Access-Control-Allow-Origin"] = "*"
            } else {
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Allow-Credentials"] = "true"
                response.headers.add("Vary", "Origin")
            }
            if isPreflight {
                response.headers["Access-Control-Allow-Methods"] = methods.joined(separator: ",")
                response.headers["Access-Control-Allow-Headers"] =
                    "X-Requested-With,Content-Type,Accept,Origin,Authorization"
                response.headers["Access-Control-Max-Age"] = "1800"
            }
            return response
        }
    }

    func allows(_ origin: String) -> Bool {
        origins.contains { matches($0.split(separator: "*", omittingEmptySubsequences: false)[...], origin[...]) }
    }
    /// `parts` are what stands between the stars.
    private func matches(_ parts: ArraySlice<Substring>, _ text: Substring) -> Bool {
        guard let first = parts.first, text.hasPrefix(first) else { return false }
        var rest = text.dropFirst(first.count)
        if parts.count == 1 { return rest.isEmpty }
        for part in parts.dropFirst().dropLast() {
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return rest.hasSuffix(parts[parts.endIndex - 1])
    }
}

extension Substring {
    var trimmed: Substring {
        let start = drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return start[...last]
    }
}
