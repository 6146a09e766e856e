import type { DiskUsage } from '../../index.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { USAGE_SHAPE, usageRows, usageTables } from '../format/df.ts';
import { printList, type Row } from '../format/list.ts';
import { formatted } from '../inspect.ts';
import { flag, text } from '../options.ts';

export class SystemDf extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Show what images, containers and volumes take on disk',
    details:
      'Images are counted by their unpacked layers, each once. Blobs are manifests, configurations and compressed layers as they came.',
    examples: [['Each image, container and volume', 'tsbox system df -v']],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  format = text('--format', 'FORMAT', "'table', 'json', or a Go template such as '{{.Type}} {{.Size}}'");
  verbose = flag('-v,--verbose', 'Each image, container and volume');

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const usage = await tsbox.diskUsage();
    if (this.verbose) await this.#details(usage);
    else await printList(this.context, USAGE_SHAPE, usageRows(usage), this.format);
    return 0;
  }

  async #details(usage: DiskUsage): Promise<void> {
    const tables = usageTables(usage, { now: this.context.now(), noTrunc: false });
    const { format } = this;
    if (format !== undefined && format !== '' && format !== 'table') {
      const object = Object.fromEntries(tables.map(({ name, rows }) => [name, rows.map(plain)]));
      this.print(await formatted(object, format));
      return;
    }
    for (const [i, { title, shape, rows }] of tables.entries()) {
      this.context.out.write(`${i > 0 ? '\n' : ''}${title}\n\n`);
      await printList(this.context, shape, rows, undefined);
    }
  }
}

const plain = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => typeof value !== 'function'));
