import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';

/** Hidden: what the supervisor of a `--rm` container becomes at its end, when no client is left to remove it. */
export class AutoRemove extends Verb {
  static readonly help: HelpText = { operands: 'ID', summary: 'Remove a container that has ended' };
  static readonly operands: Operands = { min: 1, max: 1 };

  container = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await tsbox.autoRemove(this.container);
    return 0;
  }
}
