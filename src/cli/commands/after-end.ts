import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';

/** Hidden: what the supervisor of a container with a restart policy becomes at its end. */
export class AfterEnd extends Verb {
  static readonly help: HelpText = { operands: 'ID', summary: 'Restart a container as its policy says' };
  static readonly operands: Operands = { min: 1, max: 1 };

  container = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await tsbox.afterEnd(this.container);
    return 0;
  }
}
