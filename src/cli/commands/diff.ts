import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { printableLine } from '../printable.ts';

export class Diff extends Verb {
  static readonly help: HelpText = {
    operands: 'CONTAINER',
    summary: "Show what a container changed in its image's files",
    details: 'A: added, C: changed, D: deleted. Of a directory that was deleted only itself is shown.',
    examples: [
      [
        'What a command would do to this machine',
        'tsbox run --name try -v "$PWD":/src -w /src host make install; tsbox diff try',
      ],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  container = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    for (const { kind, path } of await tsbox.diff(this.container))
      this.print(`${kind} ${printableLine(path)}`);
    return 0;
  }
}
