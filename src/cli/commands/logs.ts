import type { LogLine, LogsOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { parseTime } from '../format/time.ts';
import { LineWriter } from '../line-writer.ts';
import { flag, text } from '../options.ts';
import { defined } from '../values.ts';

export class Logs extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER',
    summary: 'Show what a container has written',
    details: 'What the container wrote to stdout comes on stdout, and what it wrote to stderr on stderr.',
    examples: [
      ['The last ten lines, and what follows', 'tsbox logs -f --tail 10 web', { keys: '\x03', status: 130 }],
      ['The last ten minutes, with times', 'tsbox logs -t --since 10m web'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  details = flag('--details', 'Accepted as in docker: no log driver adds any');
  follow = flag('-f,--follow', 'Go on until the container has ended');
  since = text('--since', 'TIME', 'Only what is newer: 10m, 2024-05-01T10:00:00Z, 1714557600');
  until = text('--until', 'TIME', 'Only what is older');
  tail = text('-n,--tail', 'NUMBER', 'Only the last lines (all)');
  timestamps = flag('-t,--timestamps', 'Show when each line was written');
  container = Option.String();

  override async execute(): Promise<number> {
    const options = this.#options();
    const tsbox = await this.open();
    const writer = new LineWriter(this.context.out, this.context.err);
    for await (const line of tsbox.logs(this.container, options)) {
      if (this.timestamps) writer.write(line.stream, Buffer.from(`${line.time} `));
      writer.write(line.stream, ended(line, this.timestamps));
    }
    writer.flush();
    return 0;
  }

  #options(): LogsOptions {
    const now = this.context.now();
    return defined<LogsOptions>({
      follow: this.follow,
      tail: tailCount(this.tail),
      since: this.since === undefined ? undefined : parseTime('--since', this.since, now),
      until: this.until === undefined ? undefined : parseTime('--until', this.until, now),
    });
  }
}

/** docker's: anything that is no number of lines means all of them. */
function tailCount(value: string | undefined): number | 'all' | undefined {
  if (value === undefined) return undefined;
  return /^\d+$/.test(value) ? Number(value) : 'all';
}

/** A partial line with a time of its own gets a line of its own. */
function ended({ data }: LogLine, timestamps: boolean): Buffer {
  return timestamps && data.at(-1) !== 0x0a ? Buffer.concat([data, Buffer.from('\n')]) : data;
}
