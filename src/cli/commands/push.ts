import type { PushOptions, PushResult } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { flag, text } from '../options.ts';
import { printableLine } from '../printable.ts';
import { bytes, defined } from '../values.ts';

export class Push extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NAME[:TAG]',
    summary: 'Upload an image to a registry',
    details:
      'What the registry has is not sent again. An image that came from a registry keeps its digest; layers that were made here ' +
      'are compressed on their way.',
    examples: [
      [
        'Under a name of another registry',
        'tsbox tag app:1 registry.example/team/app:1; tsbox push registry.example/team/app:1',
      ],
      [
        'Through a proxy that limits the size of a request',
        'tsbox push --chunk-size 50m registry.example/app',
      ],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  all = flag('-a,--all-tags', 'All tags of the repository that are here');
  chunkSize = text('--chunk-size', 'BYTES', 'Upload in requests of that size');
  platform = text('--platform', 'OS/ARCH', 'Fail when the image is for another platform');
  quiet = flag('-q,--quiet', 'Print only the name');
  reference = Option.String();

  override async execute(): Promise<number> {
    const options = defined<PushOptions>({
      platform: this.platform,
      chunkSize: bytes('--chunk-size', this.chunkSize),
    });
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet, progress: 1 });
    const results = this.all
      ? await tsbox.pushAll(this.reference, options)
      : [await tsbox.push(this.reference, options)];
    await this.reporter?.finish();
    for (const result of results) this.#show(result);
    return 0;
  }

  #show({ reference, digest, size }: PushResult): void {
    if (this.quiet) {
      this.print(printableLine(reference));
      return;
    }
    const tag = reference.slice(reference.lastIndexOf(':') + 1);
    this.print(`${printableLine(tag)}: digest: ${digest} size: ${size}`);
  }
}
