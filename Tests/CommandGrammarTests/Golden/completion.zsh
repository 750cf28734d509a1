#compdef my-tool
# zsh completion for my-tool: source <(my-tool completion zsh)
_my_tool() {
    local -a lines items
    local line word
    lines=("${(@f)$("${words[1]}" __complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ "${lines[1]}" == ":files" ]]; then
        _files
        return
    fi
    for line in "${lines[@]}"; do
        [[ -z "$line" ]] && continue
        word="${${line%%$'\t'*}//:/\\:}"
        if [[ "$line" == *$'\t'* ]]; then
            items+=("$word:${line#*$'\t'}")
        else
            items+=("$word")
        fi
    done
    _describe 'my-tool' items
}
compdef _my_tool my-tool
