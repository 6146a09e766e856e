import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { oneOf } from '../values.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export class Completion extends Verb {
  static readonly help: HelpText = {
    operands: 'bash|zsh|fish',
    summary: "Print a shell's completion script",
    details:
      'It asks tsbox itself what can follow: commands, flags and their values, and the names of containers, images, volumes and networks.',
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
    const { SCRIPTS } = await import('../completion/scripts.ts');
    this.context.out.write(SCRIPTS[shell]);
    return 0;
  }
}
