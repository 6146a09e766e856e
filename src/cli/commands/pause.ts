import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';

export class Pause extends Verb {
  static readonly help: HelpText = {
    operands: 'CONTAINER [CONTAINER...]',
    summary: 'Stop all processes of containers where they stand',
    details: "Until 'tsbox unpause'. Each process gets SIGSTOP, which its parent can notice.",
    examples: [['Let it stand still', 'tsbox pause web']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => tsbox.pause(name),
      (_, name) => this.print(name),
    );
    return 0;
  }
}
