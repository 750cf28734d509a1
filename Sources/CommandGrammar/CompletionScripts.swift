extension Shell {
    /// The script that makes this shell ask `program` for completions; it is the same for all versions of the program.
    public func script(for program: String) -> String {
        let function = "_" + String(program.map { $0.isLetter || $0.isNumber ? $0 : "_" })
        return switch self {
        case .bash: bash(program, function)
        case .zsh: zsh(program, function)
        case .fish: fish(program, function)
        }
    }

    private func bash(_ program: String, _ function: String) -> String {
        """
        # bash completion for \(program): source <(\(program) completion bash)
        \(function)() {
            local lines
            mapfile -t lines < <("${COMP_WORDS[0]}" __complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
            COMPREPLY=()
            if [[ "${lines[0]-}" == ":files" ]]; then
                compopt -o default 2>/dev/null
                return
            fi
            COMPREPLY=("${lines[@]}")
            if [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *= ]]; then
                compopt -o nospace 2>/dev/null
            fi
        }
        complete -F \(function) \(program)

        """
    }
    private func zsh(_ program: String, _ function: String) -> String {
        """
        #compdef \(program)
        # zsh completion for \(program): source <(\(program) completion zsh)
        \(function)() {
            local -a lines items
            local line word
            lines=("${(@f)$("${words[1]}" __complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
            if [[ "${lines[1]}" == ":files" ]]; then
                _files
                return
            fi
            for line in "${lines[@]}"; do
                [[ -z "$line" ]] && continue
                word="${${line%%$'\\t'*}//:/\\\\:}"
                if [[ "$line" == *$'\\t'* ]]; then
                    items+=("$word:${line#*$'\\t'}")
                else
                    items+=("$word")
                fi
            done
            _describe '\(program)' items
        }
        compdef \(function) \(program)

        """
    }
    private func fish(_ program: String, _ function: String) -> String {
        """
        # fish completion for \(program): \(program) completion fish | source
        function _\(function)
            set -l words (commandline -opc)
            set -l current (commandline -ct)
            set -l lines ($words[1] __complete fish $words[2..-1] "$current" 2>/dev/null)
            if test "$lines[1]" = ":files"
                __fish_complete_path "$current"
            else
                printf '%s\\n' $lines
            end
        end
        complete -c \(program) -f -a '(_\(function))'

        """
    }
}

extension Command {
    /// The verb `completion <shell>`, which prints the script for `program`.
    public static func completion(program: String, out: @escaping @Sendable (String) -> Void) -> Command {
        let shells = Shell.allCases.map(\.rawValue)
        return Command(
            "completion",
            "Print the completion script for a shell.",
            details: Shell.allCases.map { shell in
                "  "
                    + (shell.script(for: program).split(separator: "\n").first { $0.hasPrefix("# ") } ?? "").dropFirst(
                        2
                    )
            }.joined(separator: "\n"),
            arguments: [Argument("shell", completion: .words(shells), "One of \(shells.joined(separator: ", ")).")]
        ) { values in
            guard let shell = values.arguments.first.flatMap(Shell.init(rawValue:)) else {
                throw UsageError("<shell> is one of \(shells.joined(separator: ", "))")
            }
            out(shell.script(for: program))
            return 0
        }
    }
}
