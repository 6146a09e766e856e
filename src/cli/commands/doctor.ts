import type { DoctorCheck } from '../../index.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { flag, text } from '../options.ts';
import { printable, printableJson } from '../printable.ts';
import { oneOf } from '../values.ts';

export class Doctor extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Try every step of a run on this machine and say what is missing',
    details: 'The exit status is 1 when something that a container needs does not work.',
    examples: [['For a bug report', 'tsbox doctor --json']],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  isolation = flag('--isolation', 'Start a container that tries what must not work');
  json = flag('--json', 'The same as JSON');
  format = text('--format', 'FORMAT', "'json'");

  override async execute(): Promise<number> {
    const json = this.json || oneOf('--format', this.format, ['json']) === 'json';
    const tsbox = await this.open();
    const checks = await tsbox.doctor({ isolation: this.isolation });
    this.context.out.write(
      json
        ? `${printableJson(checks, 2)}\n`
        : checks.map(checkText).join('') + (this.isolation ? held(checks) : verdict(checks)),
    );
    return checks.some(check => check.status === 'fail') ? 1 : 0;
  }
}

function checkText({ status, title, detail, hint }: DoctorCheck): string {
  const line = `${status.padEnd(5)} ${printable(title)}${detail === '' ? '' : `: ${printable(detail)}`}\n`;
  if (hint === undefined || status === 'ok') return line;
  return `${line}${printable(hint)
    .split('\n')
    .map(part => `      -> ${part}\n`)
    .join('')}`;
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
  if (failed > 0)
    return `\n${failed} of ${checks.length} steps fail: containers cannot run until this is changed\n`;
  return warned > 0
    ? `\ncontainers run here, with ${warned} limitation${warned > 1 ? 's' : ''}\n`
    : '\nall is well\n';
}
