import StageKit

/// What a shell asks to complete a command line of the family.
enum Completion {
    /// The script for `shell`: names of programs and graphs, and of a program those options that its help names.
    /// - Throws: `StageError.usage` for another shell than bash.
    static func script(for shell: String, programs: [String], graphs: [String]) throws -> String {
        guard shell == "bash" else {
            throw StageError.usage(
                "--completion \(shell): use bash; it works in zsh too, after \"autoload -U bashcompinit; bashcompinit\""
            )
        }
        return """
            _sightline() {
                local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[1]} words=
                case $COMP_CWORD/$program in
                    1/*) words="run recipe help \(programs.joined(separator: " "))" ;;
                    2/help) words="run recipe \(programs.joined(separator: " "))" ;;
                    2/run) words="\(graphs.joined(separator: " "))" ;;
                esac
                if [[ $word == -* && $COMP_CWORD -gt 1 ]]; then
                    words=$("${COMP_WORDS[0]}" help "$program" 2>/dev/null | grep -o -- '--[a-z][a-z-]*')
                fi
                COMPREPLY=($(compgen -W "$words" -- "$word"))
            }
            complete -o default -F _sightline sightline

            """
    }
}
