import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';

export class Unpause extends Verb {
  static readonly help: HelpText = {
    operands: 'CONTAINER [CONTAINER...]',
    summary: 'Let paused containers go on',
    examples: [
      [
        'Copy files that nobody writes meanwhile',
        'tsbox pause db && tsbox cp db:/var/lib/db backup; tsbox unpause db',
      ],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => tsbox.unpause(name),
      (_, name) => this.print(name),
    );
    return 0;
  }
}
