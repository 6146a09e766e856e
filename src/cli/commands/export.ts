import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { text } from '../options.ts';
import { archiveOutput } from '../output-archive.ts';

export class Export extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER',
    summary: "Write a container's root file system as a tar archive",
    details: 'What is mounted in it, volumes too, is not part of the archive.',
    examples: [
      ['Into a file', 'tsbox export -o root.tar web'],
      ['As an image of one layer', 'tsbox export web | tsbox import - web:flat'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  output = text('-o,--output', 'FILE', 'Where to write (stdout)');
  container = Option.String();

  override async execute(): Promise<number> {
    const target = await archiveOutput(this.output, this.context);
    await (await this.open({ interruptible: true })).export(this.container, target);
    return 0;
  }
}
