/**
 * The shells' side. Each asks `tsbox _complete SHELL -- WORD…`, the last word being the one that is typed: lines
 * `candidate TAB about`, then `:`, `:files` or `:directories`.
 */
export const SCRIPTS = {
  /** bash splits words at `:` and `=`: they are put together again, and cut off from what is offered. */
  bash: `# tsbox completion
_tsbox_paths() {
  # As file names they are quoted, which a name of the store before a colon must not be.
  [[ \${#COMPREPLY[@]} -eq 0 ]] && compopt -o filenames 2>/dev/null
  mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen "$1" -- "$2")
}
_tsbox() {
  local rest=$COMP_LINE word blank i typed=() lines=() line cut=''
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    blank=\${rest%%[![:space:]]*}
    rest=\${rest#"$blank"}
    rest=\${rest#"$word"}
    if [[ -z $blank && $i -gt 0 ]]; then typed[\${#typed[@]}-1]+=$word; else typed+=("$word"); fi
  done
  word=\${typed[\${#typed[@]}-1]}
  [[ $word == *[:=]* ]] && cut=\${word%"\${word##*[:=]}"}
  mapfile -t lines < <(tsbox _complete bash -- "\${typed[@]:1}" 2>/dev/null)
  COMPREPLY=()
  for line in "\${lines[@]}"; do
    case $line in
      :files) _tsbox_paths -f "\${word#"$cut"}" ;;
      :directories) _tsbox_paths -d "\${word#"$cut"}" ;;
      :) ;;
      *) line=\${line%%$'\\t'*}; COMPREPLY+=("\${line#"$cut"}") ;;
    esac
  done
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[:=,] ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _tsbox tsbox
`,
  /** As a file _tsbox in fpath, or sourced. */
  zsh: `#compdef tsbox
_tsbox() {
  local -a lines plain open
  local line word found=1
  lines=("\${(@f)$(tsbox _complete zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    word=\${line%%$'\\t'*}
    case $line in
      :*) ;;
      *[:=,]$'\\t'*) open+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) plain+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#plain )) && _describe -t tsbox tsbox plain && found=0
  (( $#open )) && _describe -t tsbox tsbox open -S '' && found=0
  case $lines[-1] in
    :files) _files && found=0 ;;
    :directories) _files -/ && found=0 ;;
  esac
  return found
}
if [[ $funcstack[1] == _tsbox ]]; then _tsbox "$@"; else compdef _tsbox tsbox; fi
`,
  fish: `# tsbox completion
function __tsbox_complete
    set -l typed (commandline -opc) (commandline -ct)
    for line in (tsbox _complete fish -- $typed[2..] 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':directories'
                __fish_complete_directories (commandline -ct)
            case ':'
            case '*'
                echo $line
        end
    end
end
complete -c tsbox -f -a '(__tsbox_complete)'
`,
} as const;
