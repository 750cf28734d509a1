import CommandGrammar
import FoundationEssentials
import KafkaClient

/// The client settings that `--bootstrap-server` and `--command-config` ask for.
func kafkaSettings(_ values: Values) throws -> KafkaSettings {
    var java: [String: String] = [:]
    if let file = values[Options.commandConfig] {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CLIError(.notFound, "\(file): cannot be read; it should be a properties file with client settings")
        }
        for (index, line) in String(decoding: data, as: UTF8.self).split(
            separator: "\n",
            omittingEmptySubsequences: false
        ).enumerated() {
            let text = line.drop { $0 == " " || $0 == "\t" }
            if text.isEmpty || text.first == "#" || text.first == "!" { continue }
            let sides = text.split(separator: "=", maxSplits: 1).map { side in
                String(side.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\r" }.reversed())
            }
            guard sides.count == 2 else { throw CLIError(.failed, "\(file):\(index + 1): expected key=value") }
            java[sides[0]] = sides[1]
        }
    }
    let translated = KafkaSettings.translate(java, for: .consumer)
    if let (key, why) = translated.unsupported.first {
        throw CLIError(.failed, "client setting \(key) is not supported: \(why)")
    }
    return KafkaSettings(bootstrapServers: values[Options.bootstrap], translated.settings)
}
