import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { flag } from '../options.ts';

export class NetworkDisconnect extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NETWORK CONTAINER',
    summary: 'Take a container out of a network',
    examples: [['For good', 'tsbox network disconnect backend db']],
  };
  static readonly operands: Operands = { min: 2, max: 2 };

  force = flag('-f,--force', 'No error for a container that is not in it');
  network = Option.String();
  container = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await tsbox.disconnectNetwork(this.network, this.container, { force: this.force });
    return 0;
  }
}
