import { TsboxError } from '../../errors.ts';
import type { CopyResult } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { type CopyArgument, copyArgument } from '../copy-argument.ts';
import { humanSize } from '../format/human.ts';
import { openInput } from '../input.ts';
import { flag } from '../options.ts';
import { archiveOutput } from '../output-archive.ts';

export class Cp extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH',
    summary: 'Copy files between a container, running or not, and this machine',
    details:
      'A SRC_PATH that ends in /. means the content of a directory. - is a tar archive on stdin or stdout. ' +
      'Paths in a container are resolved beneath its root. A local path with a colon is written ./a:b.',
    examples: [
      ['Take a result home', 'tsbox cp job:/out/result.csv .'],
      ['Give a container a configuration', 'tsbox cp ./conf/. web:/etc/app'],
      ['See what a directory holds', 'tsbox cp job:/out - | tar -t'],
    ],
  };
  static readonly operands: Operands = { min: 2, max: 2 };

  archive = flag('-a,--archive', 'Keep uid and gid');
  followLink = flag('-L,--follow-link', 'Copy what a symbolic link in SRC_PATH leads to');
  quiet = flag('-q,--quiet', 'Say nothing of what was copied');
  source = Option.String();
  destination = Option.String();

  override async execute(): Promise<number> {
    const [from, to] = [copyArgument(this.source), copyArgument(this.destination)];
    if (this.source === '') throw new TsboxError('USAGE', 'source can not be empty', { exitCode: 1 });
    if (this.destination === '')
      throw new TsboxError('USAGE', 'destination can not be empty', { exitCode: 1 });
    if (from.container !== undefined && to.container !== undefined) {
      throw new TsboxError('USAGE', 'copying between containers is not supported', {
        hint: `tsbox cp ${this.source} - | tsbox cp - ${to.container}:DIRECTORY`,
        exitCode: 1,
      });
    }
    if (from.container !== undefined) return this.#out(from.container, from.path, to.path);
    if (to.container !== undefined) return this.#in(from, to.container, to.path);
    throw new TsboxError('USAGE', 'must specify at least one container source', {
      hint: 'a path in a container is written CONTAINER:PATH',
      exitCode: 1,
    });
  }

  async #out(container: string, path: string, destination: string): Promise<number> {
    const output = await archiveOutput(destination, this.context);
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet });
    const done = await tsbox.copyOut(container, path, output, this.#options());
    if (destination !== '-') this.#say(done, done.path);
    return 0;
  }

  async #in(from: CopyArgument, container: string, path: string): Promise<number> {
    const input = from.path === '-' ? await openInput('-', this.context) : from.path;
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet });
    const done = await tsbox.copyIn(input, container, path, this.#options());
    if (from.path !== '-') this.#say(done, `${container}:${done.path}`);
    return 0;
  }

  #options() {
    return { archive: this.archive, followLink: this.followLink };
  }

  /** docker's line, on stderr as there. */
  #say({ bytes }: CopyResult, where: string): void {
    this.reporter?.info(`Successfully copied ${humanSize(bytes)} to ${where}`);
  }
}
