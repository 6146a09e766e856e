import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';
import { text } from '../options.ts';

export class Kill extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Send a signal to containers, SIGKILL if none is given',
    examples: [['Have a server read its configuration again', 'tsbox kill -s HUP web']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  signal = text('-s,--signal', 'SIGNAL', 'By name or number (KILL)');
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => tsbox.kill(name, this.signal),
      (_, name) => this.print(name),
    );
    return 0;
  }
}
