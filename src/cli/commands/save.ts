import { Writable } from 'node:stream';
import { TsboxError } from '../../errors.ts';
import type { SaveOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { text } from '../options.ts';
import type { Output } from '../output.ts';
import { defined, oneOf } from '../values.ts';

const FORMATS = ['docker-archive', 'oci-archive', 'oci-dir'] as const;

export class Save extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] IMAGE [IMAGE...]',
    summary: 'Write images with all their layers to an archive',
    details: 'A name without a tag means every tag of that repository.',
    examples: [
      ['To a file', 'tsbox save -o images.tar alpine:3.20 app:1'],
      ['To docker on another machine', 'tsbox save app:1 | ssh build docker load'],
      ['As a directory that skopeo, umoci and crane read', 'tsbox save --format oci-dir -o app app:1'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  output = text('-o,--output', 'FILE', 'Where to write (stdout)');
  format = text('--format', 'FORMAT', `${FORMATS.join(', ')} (docker-archive)`);
  platform = text('--platform', 'OS/ARCH', 'Fail unless the images are for it');
  images = Option.Rest({ required: 1 });

  override async execute(): Promise<number> {
    const format = oneOf('--format', this.format, FORMATS);
    const toStdout = this.output === undefined || this.output === '-';
    if (toStdout && (await this.context.isTerminal(1))) {
      throw new TsboxError('USAGE', 'stdout is a terminal, no place for an archive', {
        hint: 'name a file with -o, or redirect it (> images.tar)',
      });
    }
    const tsbox = await this.open({ interruptible: true });
    const target = toStdout ? streamTo(this.context.out) : (this.output ?? '');
    await tsbox.save(this.images, target, defined<SaveOptions>({ format, platform: this.platform }));
    return 0;
  }
}

function streamTo(out: Output): Writable {
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      try {
        out.write(chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      out.flush().then(() => done(), done);
    },
  });
}
