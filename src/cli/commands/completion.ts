import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb, type VerbClass } from '../command.ts';
import type { Tables } from '../format/completion.ts';
import { oneOf } from '../values.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** The tables of verbs are given: they cannot be imported by what they load. */
export const completionOf = (tables: Tables): VerbClass =>
  class Completion extends Verb {
    static readonly help: HelpText = {
      operands: 'bash|zsh|fish',
      summary: "Print a shell's completion script",
      details:
        'Made from the definitions of the commands: verbs, nouns, flags, and the names of what exists.',
      examples: [
        ['For bash, in ~/.bashrc', 'source <(tsbox completion bash)'],
        ['For zsh, in ~/.zshrc, after compinit', 'source <(tsbox completion zsh)', { shell: 'zsh' }],
        ['For fish', 'tsbox completion fish > ~/.config/fish/completions/tsbox.fish', { shell: 'fish' }],
      ],
    };
    static readonly operands: Operands = { min: 1, max: 1 };

    shell = Option.String();

    override async execute(): Promise<number> {
      const shell = oneOf('the shell', this.shell, SHELLS) ?? 'bash';
      const { completionScript } = await import('../format/completion.ts');
      this.context.out.write(await completionScript(shell, tables));
      return 0;
    }
  };
