import { TsboxError } from '../../errors.ts';
import type { LoginOptions, LoginResult } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import type { Api } from '../context.ts';
import { flag, text } from '../options.ts';
import { ask, askSecret } from '../prompt.ts';
import { defined } from '../values.ts';

export class Login extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] [SERVER]',
    summary: 'Log in to a registry',
    details:
      'Without a server: Docker Hub. The credentials are kept where docker keeps them: with the credential helper of ~/.docker/config.json, ' +
      'or in that file. Without a user name those that are there are tried first.',
    examples: [['For a script', 'tsbox login -u me --password-stdin registry.example < token']],
  };
  static readonly operands: Operands = { min: 0, max: 1 };

  password = text('-p,--password', 'PASSWORD', 'Seen by everybody on this machine: better --password-stdin');
  passwordStdin = flag('--password-stdin', 'Take the password from stdin');
  username = text('-u,--username', 'NAME', 'The user name');
  server = Option.String({ required: false });

  override async execute(): Promise<number> {
    this.#check();
    const tsbox = await this.open({ interruptible: true });
    if (this.password !== undefined)
      this.reporter?.warn('a password on the command line is seen by others; use --password-stdin');
    const result = (await this.#withKept(tsbox)) ?? (await tsbox.login(await this.#options()));
    if (result.file !== undefined) {
      this.reporter?.warn(
        `the password is stored unencrypted in ${result.file}; credsStore there names a helper that keeps it safe`,
      );
    }
    this.print('Login Succeeded');
    return 0;
  }

  #check(): void {
    if (this.passwordStdin && this.password !== undefined)
      throw new TsboxError('USAGE', '--password and --password-stdin exclude each other');
    const lonely = this.passwordStdin ? '--password-stdin' : this.password !== undefined && '--password';
    if (lonely && this.username === undefined) throw new TsboxError('USAGE', `${lonely} needs --username`);
  }

  /** docker's courtesy: who is logged in already is not asked again. */
  async #withKept(tsbox: Api): Promise<LoginResult | undefined> {
    if (this.username !== undefined) return undefined;
    try {
      return await tsbox.login(defined<LoginOptions>({ registry: this.server }));
    } catch (error) {
      if (error instanceof TsboxError && error.code === 'UNAUTHORIZED') return undefined;
      throw error;
    }
  }

  async #options(): Promise<LoginOptions> {
    const username = this.username ?? (await this.#ask('Username: ', ask));
    const password = this.passwordStdin
      ? await this.#fromStdin()
      : (this.password ?? (await this.#ask('Password: ', askSecret)));
    if (username === '' || password === '')
      throw new TsboxError('USAGE', `the ${username === '' ? 'user name' : 'password'} is empty`);
    return { ...defined<LoginOptions>({ registry: this.server }), username, password };
  }

  async #ask(question: string, how: typeof ask): Promise<string> {
    if (await this.context.isTerminal(0)) return how(this.context, question);
    throw new TsboxError('USAGE', 'stdin is no terminal, so nobody can be asked for the password', {
      hint: 'give --username and --password-stdin',
    });
  }

  /** All of it, without the line end that `echo` adds. */
  async #fromStdin(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.context.stdin) chunks.push(Buffer.from(chunk as Buffer | string));
    return Buffer.concat(chunks)
      .toString()
      .replace(/\r?\n$/, '');
  }
}
