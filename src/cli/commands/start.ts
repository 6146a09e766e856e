import { TsboxError } from '../../errors.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';
import { flag, text } from '../options.ts';
import { statusOf } from '../streams.ts';

export class Start extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Start containers that were created or have ended',
    examples: [['Start again and watch', 'tsbox start -a job']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  attach = flag('-a,--attach', 'Connect stdout and stderr, and pass signals on');
  interactive = flag('-i,--interactive', 'Connect stdin, too');
  detachKeys = text('--detach-keys', 'KEYS', 'Keys that leave the container running (ctrl-p,ctrl-q)');
  names = Option.Rest();

  override async execute(): Promise<number> {
    if (this.attach || this.interactive) return this.#attached();
    const tsbox = await this.open({ interruptible: true });
    await forEachName(
      this.context,
      this.names,
      name => tsbox.start(name),
      (_, name) => this.print(name),
    );
    return 0;
  }

  async #attached(): Promise<number> {
    const [name, another] = this.names;
    if (name === undefined || another !== undefined) {
      throw new TsboxError('USAGE', 'only one container can be started with --attach or --interactive');
    }
    const tsbox = await this.open({ interruptible: true });
    const attached = await tsbox.startAttached(name, {
      stdio: 'inherit',
      stdin: this.interactive,
      ...(this.detachKeys === undefined ? {} : { detachKeys: this.detachKeys }),
    });
    this.context.interrupt.disarm();
    return statusOf(attached, this.context);
  }
}
