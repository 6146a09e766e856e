import { TsboxError } from '../../errors.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import type { Api } from '../context.ts';
import { forEachName } from '../each.ts';
import { reportOne } from '../failure.ts';
import { flag } from '../options.ts';

export class Rm extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Remove containers',
    examples: [
      ['Remove everything that has ended', 'tsbox rm $(tsbox ps -aq --filter status=exited)'],
      ['One that runs, with its anonymous volumes', 'tsbox rm -fv web'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  force = flag('-f,--force', 'Kill those that run');
  volumes = flag('-v,--volumes', 'Remove their anonymous volumes, too');
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => this.#remove(tsbox, name),
      (removed, name) => removed && this.print(name),
    );
    return 0;
  }

  /** As docker's, -f says what is not there and is content. */
  async #remove(tsbox: Api, name: string): Promise<boolean> {
    try {
      await tsbox.remove(name, { force: this.force, volumes: this.volumes });
      return true;
    } catch (error) {
      if (!(this.force && error instanceof TsboxError && error.code === 'NOT_FOUND')) throw error;
      reportOne(error, this.context);
      return false;
    }
  }
}
