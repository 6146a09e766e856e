import type { HelpText, Operands } from '../command.ts';
import { CreateCommand } from './create-command.ts';

export class Create extends CreateCommand {
  static readonly help: HelpText = {
    operands: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
    summary: 'Create a container without starting it',
    examples: [
      ['Create now, start later', 'tsbox create --name db -v data:/var/lib/db postgres && tsbox start db'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY, rest: true };

  override async execute(): Promise<number> {
    const options = await this.createOptions();
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet });
    this.print(await tsbox.create(options));
    return 0;
  }
}
