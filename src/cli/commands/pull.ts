import type { PullOptions, PullResult } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { familiarName } from '../format/images.ts';
import { flag, text } from '../options.ts';
import { printableLine } from '../printable.ts';
import { defined, oneOf } from '../values.ts';

export class Pull extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NAME[:TAG|@DIGEST]',
    summary: 'Download an image from a registry',
    details:
      "A short name such as 'alpine' means docker.io/library/alpine unless containers/registries.conf or the configuration " +
      "has an alias for it, and a name without a tag means ':latest'.",
    examples: [
      ['From Docker Hub', 'tsbox pull alpine:3.20'],
      [
        'From another registry, for another machine',
        'tsbox pull --platform linux/arm64 quay.io/fedora/fedora:40',
      ],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  all = flag('-a,--all-tags', 'All tags of the repository');
  platform = text('--platform', 'OS/ARCH', 'Choose among the variants of the image');
  policy = text('--policy', 'WHEN', "When to ask the registry: 'always', 'missing' or 'never'");
  quiet = flag('-q,--quiet', 'Print only the name');
  requireSignature = flag('--require-signature', 'Only with a signature that the policy verifies');
  signaturePolicy = text('--signature-policy', 'FILE', 'A containers-policy.json');
  reference = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet, progress: 1 });
    const policy = oneOf('--policy', this.policy, ['always', 'missing', 'never'] as const) ?? 'always';
    const options: PullOptions = {
      policy,
      ...defined<PullOptions>({
        platform: this.platform,
        requireSignature: this.requireSignature || undefined,
        signaturePolicy: this.signaturePolicy,
      }),
    };
    const results = this.all
      ? await tsbox.pullAll(this.reference, options)
      : [await tsbox.pull(this.reference, options)];
    await this.reporter?.finish();
    for (const result of results) this.#show(result);
    return 0;
  }

  #show({ downloaded, digest, reference }: PullResult): void {
    if (!this.quiet) {
      const status = downloaded ? 'Downloaded newer image for' : 'Image is up to date for';
      this.print(`Digest: ${printableLine(digest)}`);
      this.print(`Status: ${status} ${printableLine(familiarName(reference))}`);
    }
    this.print(printableLine(reference));
  }
}
