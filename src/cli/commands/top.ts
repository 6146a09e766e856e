import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { columns } from '../format/table.ts';

export class Top extends Verb {
  static readonly help: HelpText = {
    operands: 'CONTAINER [PS OPTIONS]',
    summary: 'Show the processes of a container',
    details:
      "Options are those of this machine's ps, and must show the pid. Without any, the columns are those of ps -ef.",
    examples: [['Memory and threads', 'tsbox top web -o pid,rss,nlwp,args']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY, rest: true };

  container = Option.String();
  options = Option.Proxy();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const { titles, processes } = await tsbox.top(this.container, this.options);
    this.context.out.write(columns([titles, ...processes]));
    return 0;
  }
}
