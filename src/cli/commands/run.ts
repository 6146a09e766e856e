import { TsboxError } from '../../errors.ts';
import type { CreateOptions } from '../../index.ts';
import { DELEGATED, type HelpText, type Operands } from '../command.ts';
import { flag, text, toggle } from '../options.ts';
import { attachOptions, statusOf } from '../streams.ts';
import { CreateCommand } from './create-command.ts';

export class Run extends CreateCommand {
  static readonly help: HelpText = {
    operands: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
    summary: 'Create a container from an image and run a command in it',
    details:
      "The image is pulled if it is missing. The exit status is the command's; 125 is tsbox's own failure, 126 a " +
      "command that cannot be executed, 127 one that is not there. The image 'host' is a copy-on-write view of this " +
      'machine: no download, and nothing done in it changes the machine.',
    examples: [
      ['A shell in Alpine', 'tsbox run -it --rm alpine sh', { keys: 'exit\r' }],
      ['Build a project with the tools of an image', 'tsbox run --rm -v "$PWD":/src -w /src golang go build'],
      ['A web server in the background', 'tsbox run -d --name web -p 8080:80 nginx'],
      [
        'Try a command on this machine without its consequences',
        'tsbox run --rm host sh -c "rm /etc/passwd; ls -l /etc"',
      ],
      ['Half a processor and 256 MB', 'tsbox run --rm --cpus 0.5 -m 256m alpine true', { where: DELEGATED }],
      ['See what a container is made of', 'tsbox run --explain alpine'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY, rest: true };

  detach = flag('-d,--detach', 'Run in the background and print the id', { group: 'The container' });
  detachKeys = text('--detach-keys', 'KEYS', 'Keys that leave the container running (ctrl-p,ctrl-q)', {
    group: 'The command',
  });
  sigProxy = toggle('--sig-proxy', 'Pass signals on to the command (default true)', { group: 'The command' });
  explain = flag('--explain', 'Show every namespace, mount and system call instead of doing it', {
    group: 'Life',
  });

  override async execute(): Promise<number> {
    const options = await this.createOptions();
    if (this.explain) return this.#explain(options);
    return this.detach ? this.#detached(options) : this.#attached(options);
  }

  async #explain(options: CreateOptions): Promise<number> {
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet });
    const text = await tsbox.explain(options);
    this.context.out.write(text.endsWith('\n') ? text : `${text}\n`);
    return 0;
  }

  async #detached(options: CreateOptions): Promise<number> {
    if (this.attach.length > 0) throw new TsboxError('USAGE', '--attach and --detach contradict each other');
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet });
    this.print(await tsbox.runDetached(options));
    return 0;
  }

  async #attached(options: CreateOptions): Promise<number> {
    const { attach, interactive, tty, detachKeys, sigProxy } = this;
    const streams = await attachOptions(
      { attach, interactive, tty, detachKeys, ...(sigProxy === undefined ? {} : { sigProxy }) },
      this.context,
    );
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet });
    const attached = await tsbox.run(
      { ...options, interactive: interactive || streams.stdin === true },
      streams,
    );
    // From now on signals are the container's, or ours alone.
    if (sigProxy === false) this.context.interrupt.fatal();
    else this.context.interrupt.disarm();
    return statusOf(attached, this.context);
  }
}
