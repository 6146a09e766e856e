import type { VerbClass } from '../command.ts';
import { GLOBAL_OPTIONS } from '../globals.ts';
import { optionsOf } from '../parse.ts';

/** Of `cli/table.ts`. */
export interface Tables {
  readonly verbs: Readonly<Record<string, () => Promise<VerbClass>>>;
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  readonly nouns: Readonly<Record<string, string>>;
  readonly verbsOfNoun: (noun: string) => string[];
}

/** What a shell must know about one command line. */
interface Line {
  /** `run`, `container ls`. */
  readonly words: string;
  readonly flags: readonly string[];
  /** Flags that take a value. */
  readonly valued: readonly string[];
  readonly operands: 'containers' | 'running' | 'images' | 'volumes' | 'none';
}

const RUNNING = new Set(['exec', 'attach', 'stop', 'kill', 'pause', 'unpause', 'top', 'port', 'stats']);
const IMAGES = new Set(['run', 'create', 'rmi', 'tag', 'save', 'push', 'pull', 'history']);
const CONTAINERS = new Set([
  'start',
  'restart',
  'logs',
  'wait',
  'rm',
  'inspect',
  'rename',
  'update',
  'cp',
  'diff',
  'commit',
  'export',
]);

function operandsOf(verb: string): Line['operands'] {
  if (RUNNING.has(verb)) return 'running';
  if (CONTAINERS.has(verb)) return 'containers';
  if (IMAGES.has(verb)) return 'images';
  return /^volume (rm|inspect)$/.test(verb) ? 'volumes' : 'none';
}

async function allLines({ verbs, aliases }: Tables): Promise<Line[]> {
  const typed = [...Object.keys(verbs), ...aliases.keys()];
  return Promise.all(
    typed.map(async words => {
      const verb = aliases.get(words)?.[0] ?? words;
      const load = verbs[verb];
      const options = load ? optionsOf(await load()).filter(option => !option.hidden) : [];
      return {
        words,
        flags: options.flatMap(option => option.names),
        valued: options.filter(option => option.value !== undefined).flatMap(option => option.names),
        operands: operandsOf(verb),
      };
    }),
  );
}

/** The script for a shell, with every verb, noun and flag in it; names of containers and images are asked of tsbox itself. */
export async function completionScript(shell: 'bash' | 'zsh' | 'fish', tables: Tables): Promise<string> {
  const lines = await allLines(tables);
  if (shell === 'fish') return fish(lines, tables);
  const script = bash(lines, tables);
  return shell === 'bash' ? script : `autoload -U +X bashcompinit && bashcompinit\n${script}`;
}

const firstWords = ({ verbs, nouns }: Tables): string[] => [
  ...Object.keys(verbs).filter(name => !name.includes(' ')),
  ...Object.keys(nouns),
];

const globals = (): string[] => GLOBAL_OPTIONS.flatMap(option => option.names);
const globalsValued = (): string[] =>
  GLOBAL_OPTIONS.filter(option => option.value !== undefined).flatMap(option => option.names);

const LISTS = {
  containers: "tsbox ps -a --format '{{.Names}}'",
  running: "tsbox ps --format '{{.Names}}'",
  images: "tsbox images --format '{{.Repository}}:{{.Tag}}'",
  volumes: 'tsbox volume ls -q',
  none: '',
} as const;

/** zsh runs it through bashcompinit. */
function bash(lines: readonly Line[], tables: Tables): string {
  const cases = lines.map(
    ({ words, flags, valued, operands }) =>
      `    '${words}') flags='${flags.join(' ')}' valued=' ${valued.join(' ')} ' list=${operands} ;;`,
  );
  const nouns = Object.keys(tables.nouns).map(
    noun => `    ${noun}) words='${tables.verbsOfNoun(noun).join(' ')}' ;;`,
  );
  const lists = Object.entries(LISTS).filter(([, command]) => command !== '');
  return `# tsbox completion
_tsbox_list() {
  case $1 in
${lists.map(([name, command]) => `    ${name}) ${command} 2>/dev/null ;;`).join('\n')}
  esac
}
_tsbox() {
  local cur=\${COMP_WORDS[COMP_CWORD]} words='' verb='' flags='' valued=' ' list=none i word skip=''
  local globals=' ${globalsValued().join(' ')} '
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ $word == -* ]]; then [[ $globals == *" $word "* ]] && skip=1; continue; fi
    if [[ -z $verb ]]; then verb=$word
      case $verb in
${nouns.join('\n')}
        *) break ;;
      esac
    else verb="$verb $word"; words=''; break; fi
  done
  if [[ -z $verb ]]; then
    COMPREPLY=($(compgen -W '${[...firstWords(tables), ...globals()].join(' ')}' -- "$cur")); return
  fi
  if [[ -n $words ]]; then COMPREPLY=($(compgen -W "$words --help" -- "$cur")); return; fi
  case $verb in
${cases.join('\n')}
  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$flags --help" -- "$cur")); return; fi
  if [[ $valued == *" \${COMP_WORDS[COMP_CWORD-1]} "* ]]; then COMPREPLY=($(compgen -f -- "$cur")); return; fi
  if [[ $list == none ]]; then COMPREPLY=($(compgen -f -- "$cur")); return; fi
  COMPREPLY=($(compgen -W "$(_tsbox_list $list)" -- "$cur"))
  [[ $(type -t __ltrim_colon_completions) == function ]] && __ltrim_colon_completions "$cur"
}
complete -o bashdefault -F _tsbox tsbox
`;
}

function fish(lines: readonly Line[], tables: Tables): string {
  const first = `complete -c tsbox -f -n __fish_use_subcommand -a '${firstWords(tables).join(' ')}'`;
  const nouns = Object.keys(tables.nouns).map(
    noun => `complete -c tsbox -f -n '__tsbox_words ${noun}' -a '${tables.verbsOfNoun(noun).join(' ')}'`,
  );
  const verbs = lines.flatMap(({ words, flags, valued, operands }) => [
    ...flags.map(flag => fishFlag(words, flag, valued.includes(flag))),
    ...(operands === 'none'
      ? []
      : [`complete -c tsbox -f -n '__tsbox_line ${words}' -a '(${fishList(operands)})'`]),
  ]);
  return `# tsbox completion
function __tsbox_line
  set -l typed (commandline -opc)
  set -e typed[1]
  test (count $typed) -ge (count $argv); and test "$typed[1..(count $argv)]" = "$argv"
end
function __tsbox_words
  set -l typed (commandline -opc)
  test (count $typed) -eq 2; and test "$typed[2]" = "$argv[1]"
end
${[first, ...nouns, ...verbs].join('\n')}
`;
}

function fishFlag(words: string, flag: string, valued: boolean): string {
  const name = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
  return `complete -c tsbox -n '__tsbox_line ${words}' ${name}${valued ? ' -r' : ''}`;
}

/** Inside single quotes. */
const fishList = (operands: Line['operands']): string =>
  `${LISTS[operands].replaceAll("'", '"')} 2>/dev/null`;
