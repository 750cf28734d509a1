import CommandGrammar
import ConnectConfig
import FoundationEssentials
import KafkaClient

/// The client settings that `--bootstrap-server` and `--command-config` ask for.
func kafkaSettings(_ values: Values) throws -> KafkaSettings {
    var java: [String: String] = [:]
    if let file = values[Options.commandConfig] {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CLIError(.notFound, "\(file): cannot be read; it should be a properties file with client settings")
        }
        do throws(PropertiesFile.Fault) {
            java = try PropertiesFile(String(decoding: data, as: UTF8.self), name: file).values
        } catch { throw CLIError(.failed, "\(error)") }
    }
    let translated = KafkaSettings.translate(java, for: .consumer)
    if let (key, why) = translated.unsupported.first {
        throw CLIError(.failed, "client setting \(key) is not supported: \(why)")
    }
    return KafkaSettings(bootstrapServers: values[Options.bootstrap], translated.settings)
}
