public import Logs

/// Names of loggers that people know from Kafka Connect.
public enum LoggerNames {
    /// What people turn up to see what a worker does; ours are below `sluice`.
    private static let connect = "org.apache.kafka.connect"

    /// Sets the level of a logger and all below it in this process; returns their names, sorted.
    ///
    /// `org.apache.kafka.connect` means all of ours as well, so that habits and scripts have an effect.
    @discardableResult
    public static func set(_ name: String, to level: LogLevel) -> [String] {
        let changed = LogLevels.shared.set(name, to: level)
        return name == connect ? (changed + LogLevels.shared.set("sluice", to: level)).sorted() : changed
    }
}
