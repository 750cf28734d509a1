import ConnectConfig

/// Keys under names that the config itself makes up: `transforms.NAME.type`, `topic.creation.NAME.partitions`.
enum AliasKeys {
    /// `type`, `predicate` and `negate` of one transform.
    static func transform(_ alias: String) -> [ConfigDefinition] {
        let group = "Transforms: \(alias)", prefix = "transforms.\(alias)."
        return ConnectorKeys.placed(
            [
                ConfigKey<String>.string(
                    prefix + "type",
                    importance: .high,
                    type: .class,
                    "Class of the transform \"\(alias)\"."
                ).shown(in: group, as: "Transformation type for \(alias)", width: .long),
                ConfigKey<String>.string(
                    prefix + "predicate",
                    default: "",
                    importance: .medium,
                    "Name of the predicate that decides which records the transform sees; empty for all."
                ).shown(in: group, as: "Predicate", width: .medium),
                ConfigKey<Bool>.boolean(
                    prefix + "negate",
                    default: false,
                    importance: .medium,
                    "Whether the transform sees the records that the predicate does not match."
                ).shown(in: group, as: "Negate", width: .medium),
            ],
            from: 1
        )
    }
    /// `type` of one predicate.
    static func predicate(_ alias: String) -> [ConfigDefinition] {
        ConnectorKeys.placed(
            [
                ConfigKey<String>.string(
                    "predicates.\(alias).type",
                    importance: .high,
                    type: .class,
                    "Class of the predicate \"\(alias)\"."
                ).shown(in: "Predicates: \(alias)", as: "Predicate type for \(alias)", width: .long)
            ],
            from: 1
        )
    }
    /// How a group of topics is created; only `default` must say replication factor and partitions.
    static func topicCreation(_ group: String) -> [ConfigDefinition] {
        let prefix = "topic.creation.\(group).", isDefault = group == "default"
        func number(_ name: String, _ type: ConfigType, _ title: String, _ text: String) -> any AnyConfigKey {
            ConfigKey<Int?>(
                prefix + name,
                type: type,
                default: .some(nil),
                defaultText: nil,
                importance: .low,
                valid: "Positive number, or -1 to use the broker's default",
                text
            ) { text throws(ConfigIssue.Reason) in
                try ConfigKey<Int>.number(text, type)
            }.shown(in: group, as: "\(title) in \(group)", width: .long)
        }
        func list(_ name: String, _ fallback: [String], _ title: String, _ text: String) -> any AnyConfigKey {
            ConfigKey<[String]>.list(prefix + name, default: fallback, importance: .low, text)
                .shown(in: group, as: "\(title) Topic Pattern for \(group)", width: .long)
        }
        return ConnectorKeys.placed(
            [
                list("include", isDefault ? [".*"] : [], "Inclusion", "Expressions for topics of this group."),
                list(
                    "exclude",
                    [],
                    "Exclusion",
                    "Expressions for topics that are not of this group, whatever include says."
                ),
                number(
                    "replication.factor",
                    .short,
                    "Replication Factor for Topics",
                    "Copies of a new topic; -1 the broker's."
                ),
                number("partitions", .int, "Partition Count for Topics", "Partitions of a new topic; -1 the broker's."),
            ],
            from: 1
        )
    }
}
