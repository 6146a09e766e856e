import type { ContainerStats } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { printList } from '../format/list.ts';
import { statsRow, statsShape } from '../format/stats.ts';
import { flag, text } from '../options.ts';

/** Cursor home, and nothing below: the next table is drawn over this one. */
const HOME = '\x1b[H\x1b[J';

export class Stats extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] [CONTAINER...]',
    summary: 'Show what containers use, once a second',
    details:
      'The numbers are those of the control group of a container. Where it has none they are summed up over its processes in /proc: processor time ' +
      'of processes that have come and gone between two looks is missed, memory is the proportional set size. {{.Source}} in a ' +
      'template says which. PSI: part of the last ten seconds in which something waited for processors, memory, disks.',
    examples: [
      ['All that run, until Ctrl-C', 'tsbox stats', { keys: '\x03', status: 130 }],
      ['One look, for a program', 'tsbox stats --no-stream --format json web'],
    ],
  };
  static readonly operands: Operands = { min: 0, max: Number.POSITIVE_INFINITY };

  all = flag('-a,--all', 'Also containers that do not run');
  format = text('--format', 'FORMAT', "'table', 'json', or a Go template such as '{{.Name}} {{.CPUPerc}}'");
  noStream = flag('--no-stream', 'Look once, do not go on');
  noTrunc = flag('--no-trunc', 'Do not shorten ids');
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const live = !this.noStream && (await this.context.isTerminal(1));
    for await (const found of tsbox.stats(this.names, { stream: !this.noStream, all: this.all })) {
      if (live) this.context.out.write(HOME);
      await this.#show(found);
    }
    return 0;
  }

  async #show(found: readonly ContainerStats[]): Promise<void> {
    const rows = found.map(each => statsRow(each, this.noTrunc));
    await printList(this.context, statsShape(found), rows, this.format);
  }
}
