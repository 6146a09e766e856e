import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { inspectVolume } from '../format/volumes.ts';
import { printInspected } from '../inspect.ts';
import { text } from '../options.ts';

export class VolumeInspect extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] VOLUME [VOLUME...]',
    summary: 'Show everything about volumes',
    examples: [['Where the files are', "tsbox volume inspect -f '{{.Mountpoint}}' data"]],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  format = text('-f,--format', 'FORMAT', "'json' or a Go template such as '{{.Mountpoint}}'");
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await printInspected(this.context, this.names, name => inspectVolume(tsbox, name), this.format);
    return 0;
  }
}
