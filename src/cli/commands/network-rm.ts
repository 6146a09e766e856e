import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';
import { flag } from '../options.ts';

export class NetworkRm extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NETWORK [NETWORK...]',
    summary: 'Remove networks that no container is in',
    examples: [['One that is no longer used', 'tsbox network rm lab']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  force = flag('-f,--force', 'No error for a network that is not there');
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const remove = (name: string): Promise<void> => tsbox.removeNetwork(name, { force: this.force });
    await forEachName(this.context, this.names, remove, (_, name) => this.print(name));
    return 0;
  }
}
