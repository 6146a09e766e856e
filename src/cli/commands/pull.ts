import type { PullOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { flag, text } from '../options.ts';
import { printableLine } from '../printable.ts';
import { defined } from '../values.ts';

export class Pull extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NAME[:TAG|@DIGEST]',
    summary: 'Download an image from a registry',
    details:
      "A short name such as 'alpine' means docker.io/library/alpine, and a name without a tag means ':latest'.",
    examples: [
      ['From Docker Hub', 'tsbox pull alpine:3.20'],
      [
        'From another registry, for another machine',
        'tsbox pull --platform linux/arm64 quay.io/fedora/fedora:40',
      ],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  platform = text('--platform', 'OS/ARCH', 'Choose among the variants of the image');
  quiet = flag('-q,--quiet', 'Print only the name');
  reference = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet, progress: 1 });
    const options: PullOptions = { policy: 'always', ...defined<PullOptions>({ platform: this.platform }) };
    const result = await tsbox.pull(this.reference, options);
    await this.reporter?.finish();
    if (!this.quiet) {
      const status = result.downloaded ? 'Downloaded newer image for' : 'Image is up to date for';
      this.print(`Digest: ${printableLine(result.digest)}`);
      this.print(`Status: ${status} ${printableLine(this.reference)}`);
    }
    this.print(printableLine(result.reference));
    return 0;
  }
}
