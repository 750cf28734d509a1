internal import ConnectConfig
internal import ConnectModel
internal import Expressions

/// Keeps or drops records by a condition over their fields.
struct FilterBy: Transform {
    /// What happens to records for which the condition is true.
    enum Action: String, CaseIterable, Sendable {
        case keep
        case drop
    }
    /// What happens to records without a value.
    enum Tombstones: String, CaseIterable, Sendable {
        case pass
        case test
    }
    static let condition = ExpressionKeys.expression(
        "condition",
        "The condition, for example `current_price <= target_price * 1.01 and chain in ('a', 'b')`; Docs/expressions.md has "
            + "the language. Null counts as false."
    )
    static let action = ConfigKey<Action>.choice(
        "action",
        default: .keep,
        "keep lets records through for which the condition is true; drop lets through all others."
    )
    static let tombstones = ConfigKey<Tombstones>.choice(
        "tombstones",
        default: .pass,
        "pass lets records without a value through untested, since a delete that is dropped is never made up for; test asks "
            + "the condition, for which all their fields are null."
    )
    static let keys: [any AnyConfigKey] = [
        condition, action, tombstones, ExpressionKeys.onError, ExpressionKeys.onMissing,
    ]

    private let condition: Expression
    private let action: Action
    private let tombstones: Tombstones
    private let onError: ExpressionKeys.OnError
    private let onMissing: ExpressionScope.Missing

    init(_ config: [String: String]) throws(ConnectError) {
        condition = try Self.condition.read(config)
        action = try Self.action.read(config)
        tombstones = try Self.tombstones.read(config)
        onError = try ExpressionKeys.onError.read(config)
        onMissing = try ExpressionKeys.onMissing.read(config)
        if let kind = condition.kind, kind != .boolean {
            throw .invalid(condition.text, for: Self.condition.name, "a condition is true or false, this is a \(kind)")
        }
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        if tombstones == .pass, record.value.value.isNull { return record }
        let isTrue: Bool
        switch try ExpressionKeys.value(of: condition, record, onMissing, onError) {
        case .boolean(let flag): isTrue = flag
        case .null: isTrue = false
        case let other:
            guard onError == .null else {
                throw .data("expression \"\(condition)\": a condition is true or false, got \(other.kindName)")
            }
            isTrue = false
        }
        return isTrue == (action == .keep) ? record : nil
    }
}
