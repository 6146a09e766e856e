import type { Finding } from '../../index.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { ReportedFailure } from '../failure.ts';
import { flag } from '../options.ts';
import { printableLine } from '../printable.ts';

export class SystemCheck extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Compare what the store holds with what it says of itself, and mend it',
    details:
      'What is damaged and can be had again is removed or unpacked again; what containers and volumes hold is never touched. The status is 1 when something is left that has to be done by hand.',
    examples: [['Look only', 'tsbox system check --full --dry-run']],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  dryRun = flag('--dry-run', 'Only say what is wrong');
  full = flag('--full', 'Also compare all content with its digests: reads the whole store');
  repair = flag('-r,--repair', 'What it does anyway, for those who are used to podman');

  override async execute(): Promise<number> {
    const tsbox = await this.open({ interruptible: true });
    const findings = await tsbox.check({ full: this.full, repair: !this.dryRun });
    for (const finding of findings) this.print(printableLine(lineOf(finding)));
    if (findings.length === 0) this.print('The store is in order.');
    if (findings.some(finding => !finding.repaired)) throw new ReportedFailure(1);
    return 0;
  }
}

/** `layer sha256:…: has no layer.json: unpacked again`. Without repair the remedy is what would be done, or is the user's to do. */
function lineOf({ area, what, problem, remedy, mendable, repaired }: Finding): string {
  const kind = area === 'leftover' || area === 'store' ? '' : `${area} `;
  if (repaired) return `${kind}${what}: ${problem}: ${remedy}`;
  return `${kind}${what}: ${problem} (${mendable ? 'would be' : 'to do'}: ${remedy})`;
}
