import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';

export class Wait extends Verb {
  static readonly help: HelpText = {
    operands: 'CONTAINER [CONTAINER...]',
    summary: 'Wait until containers have ended and print their exit statuses',
    examples: [['The status of a job in the background', 'tsbox wait job']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => tsbox.wait(name),
      status => this.print(String(status)),
    );
    return 0;
  }
}
