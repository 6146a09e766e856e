import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { printableLine } from '../printable.ts';

export class Logout extends Verb {
  static readonly help: HelpText = {
    operands: '[SERVER]',
    summary: 'Forget the credentials for a registry',
    details: 'Without a server: Docker Hub.',
    examples: [['Of one registry', 'tsbox logout registry.example']],
  };
  static readonly operands: Operands = { min: 0, max: 1 };

  server = Option.String({ required: false });

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const { registry, removed } = await tsbox.logout(this.server);
    const name = printableLine(registry);
    this.print(removed ? `Removing login credentials for ${name}` : `Not logged in to ${name}`);
    return 0;
  }
}
