import type { DoctorCheck } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import type { Api } from '../context.ts';
import { flag, text } from '../options.ts';
import { printable, printableJson } from '../printable.ts';
import { oneOf } from '../values.ts';

export class Doctor extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] [CHECK...]',
    summary: 'Try every step of a run on this machine and say what is missing',
    details:
      'A CHECK is the name of a step (userns) or of what it can find (userns-apparmor), as errors name it.\nThe exit status is 1 when something that a container needs does not work.',
    examples: [
      ['For a bug report', 'tsbox doctor --json'],
      ['What an error has named', 'tsbox doctor tun-closed'],
      ['What to send to the administrator', 'tsbox doctor --admin-request'],
    ],
  };
  static readonly operands: Operands = { min: 0, max: Number.POSITIVE_INFINITY };

  adminRequest = flag('--admin-request', 'Print what an administrator can give that is missing here');
  isolation = flag('--isolation', 'Start a container that tries what must not work');
  json = flag('--json', 'The same as JSON');
  format = text('--format', 'FORMAT', "'json'");
  checks = Option.Rest();

  override async execute(): Promise<number> {
    const json = this.json || oneOf('--format', this.format, ['json']) === 'json';
    const tsbox = await this.open();
    if (this.adminRequest) return this.#request(tsbox, json);
    const checks = await tsbox.doctor({ isolation: this.isolation, only: this.checks });
    this.context.out.write(json ? `${printableJson(checks, 2)}\n` : this.#report(checks));
    return checks.some(check => check.status === 'fail') ? 1 : 0;
  }

  /** Asking is no failure, and neither is having nothing to ask for. */
  async #request(tsbox: Api, json: boolean): Promise<number> {
    const request = await tsbox.adminRequest();
    this.context.out.write(json ? `${printableJson(request.items, 2)}\n` : request.text);
    return 0;
  }

  #report(checks: readonly DoctorCheck[]): string {
    const lines = checks.map(checkText).join('');
    if (this.isolation) return lines + held(checks);
    if (this.checks.length === 0) return lines + verdict(checks);
    const known = new Set(checks.flatMap(({ id, code }) => [id, code]));
    const absent = this.checks.filter(name => !known.has(name));
    return lines + absent.map(name => `\n${printable(name)} is not found here\n`).join('');
  }
}

function checkText(check: DoctorCheck): string {
  const { status, code, title, detail, meaning, hint, command, admin = [] } = check;
  const line = `${status.padEnd(5)} ${printable(title)}${detail === '' ? '' : `: ${printable(detail)}`}`;
  if (status === 'ok' || status === 'skip') return `${line}\n`;
  const parts = [
    ...(meaning === undefined ? [] : [`   ${meaning}`]),
    ...lines('you', command),
    ...lines('hint', hint),
    ...lines('administrator', admin.length === 0 ? undefined : admin.join('\n')),
  ];
  return `${line} [${code}]\n${parts.map(part => `   ${printable(part)}\n`).join('')}`;
}

/** `-> you: command`; more than one line stands below. */
function lines(who: string, text: string | undefined): string[] {
  if (text === undefined) return [];
  const [first = '', ...more] = text.split('\n');
  if (more.length === 0) return [`   -> ${who}: ${first}`];
  return [`   -> ${who}:`, ...[first, ...more].map(line => `        ${line}`)];
}

function held(checks: readonly DoctorCheck[]): string {
  const open = checks.filter(check => check.status === 'fail').length;
  if (open === 0) return '\nok: the container could do nothing of this\n';
  return `\n${open} of ${checks.length} attempts succeeded: please report this, SECURITY.md says how\n`;
}

function verdict(checks: readonly DoctorCheck[]): string {
  const count = (status: DoctorCheck['status']): number =>
    checks.filter(check => check.status === status).length;
  const [failed, warned] = [count('fail'), count('warn')];
  const ask = checks.some(check => check.admin !== undefined)
    ? 'for the administrator: tsbox doctor --admin-request\n'
    : '';
  if (failed > 0)
    return `\n${failed} of ${checks.length} steps fail: containers cannot run until this is changed\n${ask}`;
  return warned > 0
    ? `\ncontainers run here, with ${warned} limitation${warned > 1 ? 's' : ''}\n${ask}`
    : '\nall is well\n';
}
