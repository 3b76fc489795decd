# What bash offers after pychat-gtk.
_pychat_gtk() {
    local word=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W '--name --version --help' -- "$word")
    fi
}
complete -F _pychat_gtk -o default pychat-gtk
