import type { ExecOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { checkEnv, readEnvFiles } from '../env-file.ts';
import { flag, list, text } from '../options.ts';
import { attachOptions, statusOf } from '../streams.ts';
import { defined, given } from '../values.ts';

export class Exec extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER COMMAND [ARG...]',
    summary: 'Run one more command in a running container',
    examples: [
      ['A shell in a running container', 'tsbox exec -it web sh', { keys: 'exit\r' }],
      ['As another user, with a variable', 'tsbox exec -u www-data -e DEBUG=1 web ./check'],
      ['Feed a program from a file', 'tsbox exec -i db psql < dump.sql'],
    ],
  };
  static readonly operands: Operands = { min: 2, max: Number.POSITIVE_INFINITY, rest: true };

  detach = flag('-d,--detach', 'Run in the background');
  interactive = flag('-i,--interactive', 'Keep stdin open');
  tty = flag('-t,--tty', 'Give the command a terminal');
  detachKeys = text('--detach-keys', 'KEYS', 'Keys that leave the command running (ctrl-p,ctrl-q)');
  env = list('-e,--env', 'NAME[=VALUE]', 'Set a variable, or pass on yours');
  envFile = list('--env-file', 'FILE', 'Read variables from a file');
  workdir = text('-w,--workdir', 'DIR', 'Working directory inside');
  user = text('-u,--user', 'USER[:GROUP]', 'Run as this user, by name or number');
  privileged = flag('--privileged', 'With every capability of the container');
  container = Option.String();
  first = Option.String();
  rest = Option.Proxy();

  override async execute(): Promise<number> {
    const options = await this.#options();
    if (this.detach) {
      const tsbox = await this.open();
      await tsbox.execDetached(this.container, options);
      return 0;
    }
    const streams = await attachOptions(this, this.context);
    const tsbox = await this.open();
    const attached = await tsbox.exec(this.container, options, streams);
    return statusOf(attached, this.context);
  }

  async #options(): Promise<ExecOptions> {
    const env = [...(await readEnvFiles('--env-file', this.envFile)), ...checkEnv(this.env)];
    return defined<ExecOptions>({
      command: [this.first, ...this.rest],
      env: given(env),
      callerEnv: env.length > 0 ? this.context.env : undefined,
      workdir: this.workdir,
      user: this.user,
      tty: this.tty,
      interactive: this.interactive,
      privileged: this.privileged,
    });
  }
}
