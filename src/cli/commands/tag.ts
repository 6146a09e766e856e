import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';

export class Tag extends Verb {
  static readonly help: HelpText = {
    operands: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
    summary: 'Give an image one more name',
    examples: [['A name to push it by', 'tsbox tag app registry.example/team/app:1.2']],
  };
  static readonly operands: Operands = { min: 2, max: 2 };

  source = Option.String();
  target = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await tsbox.tag(this.source, this.target);
    return 0;
  }
}
