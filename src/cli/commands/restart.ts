import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';
import { text } from '../options.ts';
import { defined, integer } from '../values.ts';

export class Restart extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Stop containers and start them again',
    examples: [['At once', 'tsbox restart -t 0 web']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  signal = text(
    '-s,--signal',
    'SIGNAL',
    'Ask with this signal (TERM, or what the container was created with)',
  );
  timeout = text(
    '-t,--timeout,--time',
    'SECONDS',
    'Seconds until SIGKILL (10, or what the container was created with)',
  );
  names = Option.Rest();

  override async execute(): Promise<number> {
    const options = defined({ timeout: integer('--timeout', this.timeout), signal: this.signal });
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => tsbox.restart(name, options),
      (_, name) => this.print(name),
    );
    return 0;
  }
}
