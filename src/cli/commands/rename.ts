import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';

export class Rename extends Verb {
  static readonly help: HelpText = {
    operands: 'CONTAINER NAME',
    summary: 'Give a container another name',
    examples: [['Make room for a new one', 'tsbox rename web web-old']],
  };
  static readonly operands: Operands = { min: 2, max: 2 };

  container = Option.String();
  name = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await tsbox.rename(this.container, this.name);
    return 0;
  }
}
