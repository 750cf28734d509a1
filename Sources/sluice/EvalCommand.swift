import CommandGrammar
import ConnectRuntime
import ConnectSDK
import ConnectorRegistry
import FileAccess
import SluiceCLI
import Transforms

/// `sluice eval`: questions about transforms, converters and configs in, answers out, one JSON object a line.
struct EvalCommand {
    let terminal: Terminal

    var command: Command {
        let terminal = terminal
        return Command(
            "eval",
            "Answer what transforms, converters and config checks do: one JSON question a line in, one answer a line out.",
            details: """
                  {"config", "input"}                                        -> {"output"}, {"error"} or {"config_error"}
                  {"converter", "config", "direction": "to_connect", "bytes"}     -> {"result"}, …
                  {"converter", "config", "direction": "from_connect", "input"}   -> {"bytes"} or {"bytes_base64"}, …
                  {"plugin", "config"}                                       -> {"errors"} or {"exception"}
                  Docs/command-line.md has the fields. Each line stands alone; answers are in order and come at once.
                """
        ) { _ in
            let check = PluginCheck(plugins: Registry.plugins)
            let evaluation = Evaluation(plugins: Registry.plugins) { plugin, config throws(DataError) in
                try check.problems(of: plugin, with: config)
            }
            var lines = LineReader(.standardInput)
            while let line = try lines.next() {
                terminal.out(evaluation.answer(line: String(decoding: line, as: UTF8.self)) + "\n")
            }
            return 0
        }
    }
}
