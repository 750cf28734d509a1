# bash completion for my-tool: source <(my-tool completion bash)
_my_tool() {
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
complete -F _my_tool my-tool
