import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';

export class Untag extends Verb {
  static readonly help: HelpText = {
    operands: 'IMAGE [NAME[:TAG]...]',
    summary: 'Take names away from an image, all of them if none is given; the image stays',
    examples: [['One name of several', 'tsbox untag app app:1']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  image = Option.String();
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await tsbox.untag(this.image, this.names);
    return 0;
  }
}
