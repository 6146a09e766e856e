import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';

/** What engine/health-service.ts takes for the end: not a status of Node, of tsbox's failures or of a signal. */
const ENDED = 33;

/** Hidden: one health check; prints the milliseconds until the next. */
export class CheckHealth extends Verb {
  static readonly help: HelpText = { operands: 'ID', summary: 'Check the health of a container once' };
  static readonly operands: Operands = { min: 1, max: 1 };

  container = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const delay = await tsbox.checkHealth(this.container);
    if (delay === undefined) return ENDED;
    this.print(String(Math.ceil(delay)));
    return 0;
  }
}
