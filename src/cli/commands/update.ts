import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';
import { text } from '../options.ts';
import { defined } from '../values.ts';

export class Update extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Change how containers are kept up',
    examples: [['Keep it up from now on', 'tsbox update --restart unless-stopped web']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  restart = text('--restart', 'POLICY', 'no, always, unless-stopped, on-failure or on-failure:3');
  names = Option.Rest();

  override async execute(): Promise<number> {
    const options = defined({ restart: this.restart });
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => tsbox.update(name, options),
      (_, name) => this.print(name),
    );
    return 0;
  }
}
