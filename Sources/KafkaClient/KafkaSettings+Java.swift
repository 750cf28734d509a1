/// What becomes of one setting of the Java client.
private enum JavaRule {
    /// Same meaning under another name.
    case rename(String)
    /// Same meaning, other name or unit; nil when this value cannot be expressed.
    case convert(@Sendable (String) -> [String: String]?, otherwise: String)
    /// Handled already by what this library does, whatever the value.
    case implied
    /// Cannot be had; the reason says why and what to do.
    case none(String)
}

extension KafkaSettings {
    /// Turns settings with the Java client's names into librdkafka's.
    ///
    /// Keys that librdkafka knows pass unchanged. What cannot be translated comes back in `unsupported` with the reason;
    /// nothing is dropped in silence, except what is true of this library anyway (byte-array serializers).
    public static func translate(
        _ java: [String: String],
        for role: Role
    ) -> (settings: [String: String], unsupported: [String: String]) {
        var settings: [String: String] = [:]
        var unsupported: [String: String] = [:]
        let known = RDKafkaConf()
        for (key, value) in java.sorted(by: { $0.key < $1.key }) {
            switch rule(for: key, role: role, all: java) {
            case .rename(let name)?: settings[name] = value
            case .convert(let convert, let otherwise)?:
                if let made = convert(value) {
                    settings.merge(made) { old, _ in old }
                } else {
                    unsupported[key] = otherwise
                }
            case .implied?: break
            case .none(let reason)?: unsupported[key] = reason
            case nil:
                if own.contains(key) || known.knows(key) {
                    settings[key] = value
                } else {
                    unsupported[key] = "neither librdkafka \(libraryVersionText) nor this client has such a setting"
                }
            }
        }
        return (settings, unsupported)
    }

    private static func rule(for key: String, role: Role, all: [String: String]) -> JavaRule? {
        if key.hasPrefix("ssl.") { return tlsRule(for: key, all: all) }
        if key.hasPrefix("sasl.") { return saslRule(for: key) }
        if key.hasPrefix("metric") || key == "auto.include.jmx.reporter" {
            return .none("metrics come from the worker's own endpoint; remove the key")
        }
        switch role {
        case .producer: if let rule = producerRules[key] { return rule }
        case .consumer: if let rule = consumerRules[key] { return rule }
        case .admin: if let rule = adminRules[key] { return rule }
        }
        return commonRules[key]
    }

    private static let commonRules: [String: JavaRule] = [
        "receive.buffer.bytes": .convert(bufferSize("socket.receive.buffer.bytes"), otherwise: "must be a number"),
        "send.buffer.bytes": .convert(bufferSize("socket.send.buffer.bytes"), otherwise: "must be a number"),
        "interceptor.classes": .none("Java classes cannot run here; remove the key"),
        "security.providers": .none("Java classes cannot run here; remove the key"),
        "auto.offset.reset": .convert(
            { ["earliest", "latest", "none"].contains($0) ? ["auto.offset.reset": $0 == "none" ? "error" : $0] : nil },
            otherwise: "must be earliest, latest or none"
        ),
        "request.timeout.ms": .rename("socket.timeout.ms"),
        "client.dns.lookup": .convert(
            { value in
                if RDKafkaConf().knows("client.dns.lookup") { return ["client.dns.lookup": value] }
                return value == "use_all_dns_ips" ? [:] : nil  // what librdkafka does anyway
            },
            otherwise: "this librdkafka always uses all addresses of a name"
        ),
    ]

    private static let producerRules: [String: JavaRule] = [
        "key.serializer": serializer, "value.serializer": serializer,
        "buffer.memory": .convert(
            { Int($0).map { ["queue.buffering.max.kbytes": "\(max(1, $0 >> 10))"] } },
            otherwise: "must be a number of bytes"
        ),
        "max.block.ms": .rename("topic.metadata.propagation.max.ms"),
        "max.request.size": .rename("message.max.bytes"),
        "request.timeout.ms": .rename("request.timeout.ms"),
        "compression.gzip.level": .rename("compression.level"),
        "compression.lz4.level": .rename("compression.level"),
        "compression.zstd.level": .rename("compression.level"),
        "partitioner.class": .convert(
            { name in
                switch name.split(separator: ".").last {
                case nil, "DefaultPartitioner": ["partitioner": "murmur2_random"]
                case "UniformStickyPartitioner": ["partitioner": "random"]
                default: nil
                }
            },
            otherwise: "Java classes cannot run here; set partitioner to murmur2_random, consistent_random or random"
        ),
        "partitioner.ignore.keys": .convert(
            { $0 == "true" ? ["partitioner": "random"] : [:] },
            otherwise: "must be true or false"
        ),
        "partitioner.adaptive.partitioning.enable": .none("librdkafka has no adaptive partitioning; remove the key"),
        "partitioner.availability.timeout.ms": .none("librdkafka has no adaptive partitioning; remove the key"),
        "metadata.max.idle.ms": .none("librdkafka keeps metadata of topics in use; remove the key"),
    ]

    private static let consumerRules: [String: JavaRule] = [
        "key.deserializer": serializer, "value.deserializer": serializer,
        "fetch.max.wait.ms": .rename("fetch.wait.max.ms"),
        "max.partition.fetch.bytes": .rename("max.partition.fetch.bytes"),
        "partition.assignment.strategy": .convert(
            assignors,
            otherwise: "must name RangeAssignor, RoundRobinAssignor or CooperativeStickyAssignor"
        ),
        "exclude.internal.topics": .none("Kafka's own topics never match topics.regex"),
        "group.protocol": .convert(
            { value in
                if RDKafkaConf().knows("group.protocol") { return ["group.protocol": value] }
                return value.lowercased() == "classic" ? [:] : nil
            },
            otherwise: "this librdkafka knows the classic protocol only"
        ),
    ]

    private static let adminRules: [String: JavaRule] = [:]

    private static let serializer: JavaRule = .convert(
        { name in
            name.hasSuffix(".ByteArraySerializer") || name.hasSuffix(".ByteArrayDeserializer") ? [:] : nil
        },
        otherwise: "records are bytes here; converters (key.converter, value.converter) do the serializing"
    )

    private static func bufferSize(_ key: String) -> @Sendable (String) -> [String: String]? {
        { text in Int(text).map { [key: "\(max(0, $0))"] } }  // -1 is "the system's", which librdkafka calls 0
    }

    /// Java takes eager and cooperative strategies in one list; librdkafka takes one kind, so the first decides.
    private static let assignors: @Sendable (String) -> [String: String]? = { list in
        let known = [
            "RangeAssignor": "range", "RoundRobinAssignor": "roundrobin",
            "CooperativeStickyAssignor": "cooperative-sticky",
            "range": "range", "roundrobin": "roundrobin", "cooperative-sticky": "cooperative-sticky",
        ]
        var names: [String] = []
        for part in list.split(separator: ",") {
            let last = part.split(separator: ".").last.map { String($0) } ?? ""
            guard let name = known[last.filter { !$0.isWhitespace }] else { return nil }
            names.append(name)
        }
        guard let first = names.first else { return nil }
        let isCooperative = first == "cooperative-sticky"
        let kept = names.filter { ($0 == "cooperative-sticky") == isCooperative }
        return ["partition.assignment.strategy": kept.joined(separator: ",")]
    }

    static var libraryVersionText: String {
        let version = libraryVersion
        return "\(version >> 24 & 0xff).\(version >> 16 & 0xff).\(version >> 8 & 0xff)"
    }
}

// --- security

extension KafkaSettings {
    private static func tlsRule(for key: String, all: [String: String]) -> JavaRule? {
        let keystore = (all["ssl.keystore.type"] ?? "JKS").uppercased()
        let truststore = (all["ssl.truststore.type"] ?? "JKS").uppercased()
        let jks = "librdkafka reads PEM files; convert the store (keytool, openssl pkcs12) and set its type to PEM"
        switch key {
        case "ssl.truststore.type": return truststore == "PEM" ? .implied : .none(jks)
        case "ssl.truststore.location": return truststore == "PEM" ? .rename("ssl.ca.location") : .none(jks)
        case "ssl.truststore.certificates": return .rename("ssl.ca.pem")
        case "ssl.truststore.password": return truststore == "PEM" ? .implied : .none(jks)
        case "ssl.keystore.type": return ["PEM", "PKCS12"].contains(keystore) ? .implied : .none(jks)
        case "ssl.keystore.location":
            switch keystore {
            case "PKCS12": return .rename("ssl.keystore.location")
            case "PEM":
                return .convert(
                    { ["ssl.certificate.location": $0, "ssl.key.location": $0] },
                    otherwise: "must be a file name"
                )
            default: return .none(jks)
            }
        case "ssl.keystore.certificate.chain": return .rename("ssl.certificate.pem")
        case "ssl.keystore.key": return .rename("ssl.key.pem")
        case "ssl.endpoint.identification.algorithm":
            return .convert(
                { ["ssl.endpoint.identification.algorithm": $0.isEmpty ? "none" : $0.lowercased()] },
                otherwise: ""
            )
        case "ssl.protocol", "ssl.enabled.protocols", "ssl.provider", "ssl.keymanager.algorithm",
            "ssl.trustmanager.algorithm", "ssl.secure.random.implementation", "ssl.engine.factory.class":
            return .none("OpenSSL negotiates the protocol; this Java setting has no counterpart")
        default: return nil
        }
    }

    private static func saslRule(for key: String) -> JavaRule? {
        switch key {
        case "sasl.jaas.config":
            return .convert(
                jaas,
                otherwise: "only PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule and Krb5LoginModule "
                    + "with key=\"value\" options are understood; set sasl.username and sasl.password instead"
            )
        case "sasl.oauthbearer.token.endpoint.url":
            return .convert(
                { ["sasl.oauthbearer.token.endpoint.url": $0, "sasl.oauthbearer.method": "oidc"] },
                otherwise: ""
            )
        case "sasl.client.callback.handler.class", "sasl.login.callback.handler.class", "sasl.login.class":
            return .none("Java classes cannot run here; librdkafka fetches tokens with sasl.oauthbearer.method=oidc")
        default: return nil
        }
    }

    /// `org…PlainLoginModule required username="u" password="p";` as librdkafka's own settings.
    private static let jaas: @Sendable (String) -> [String: String]? = { text in
        guard let parsed = JAASEntry(text) else { return nil }
        let names: [String: String]
        var made: [String: String] = [:]
        switch parsed.module {
        case "PlainLoginModule", "ScramLoginModule":
            names = ["username": "sasl.username", "password": "sasl.password"]
        case "OAuthBearerLoginModule":
            names = [
                "clientId": "sasl.oauthbearer.client.id", "clientSecret": "sasl.oauthbearer.client.secret",
                "scope": "sasl.oauthbearer.scope",
            ]
            made["sasl.oauthbearer.method"] = "oidc"
        case "Krb5LoginModule":
            names = [
                "principal": "sasl.kerberos.principal", "keyTab": "sasl.kerberos.keytab",
                "serviceName": "sasl.kerberos.service.name",
            ]
        default: return nil
        }
        for (option, value) in parsed.options { if let name = names[option] { made[name] = value } }
        return made
    }
}

/// One entry of a JAAS configuration: module, control flag, options, semicolon.
struct JAASEntry: Equatable {
    var module = ""
    var options: [String: String] = [:]

    init?(_ text: String) {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        var isEscaped = false
        loop: for character in text {
            switch character {
            case _ where isEscaped:
                word.append(character)
                isEscaped = false
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case ";" where !isQuoted: break loop
            case _ where character.isWhitespace && !isQuoted:
                if !word.isEmpty { words.append(word) }
                word = ""
            default: word.append(character)
            }
        }
        if !word.isEmpty { words.append(word) }
        guard !isQuoted, words.count >= 2, let name = words[0].split(separator: ".").last else { return nil }
        module = String(name)
        for option in words.dropFirst(2) {
            guard let equals = option.firstIndex(of: "=") else { return nil }
            options[String(option[..<equals])] = String(option[option.index(after: equals)...])
        }
    }
}
