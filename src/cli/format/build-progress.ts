import type { BuildEvent } from '../../index.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import { printableLine } from '../printable.ts';
import {
  BuildSteps,
  failureReport,
  type LoggedLine,
  type StepState,
  warningLine,
} from './build-progress-steps.ts';
import { TtyBuildView } from './build-progress-tty.ts';
import type { ProgressView } from './progress.ts';

/** How a build is shown; also takes what the reporter has to show meanwhile. */
export interface BuildView extends ProgressView {
  event(event: BuildEvent): void;
}

export type BuildProgressMode = 'auto' | 'plain' | 'tty' | 'quiet' | 'rawjson';

type ViewContext = Pick<CliContext, 'err' | 'isTerminal' | 'terminalSize' | 'env' | 'now'>;

/** On stderr, as docker does: stdout is for what `--output -` and `--quiet` print. */
export async function openBuildView(context: ViewContext, mode: BuildProgressMode): Promise<BuildView> {
  if (mode === 'quiet') return new QuietBuildView(context.err);
  if (mode === 'rawjson') return new JsonBuildView(context.err);
  const isScreen = context.env.TERM !== 'dumb' && (await context.isTerminal(2));
  if (mode === 'plain' || (mode === 'auto' && !isScreen)) return new PlainBuildView(context.err);
  const size = (): { columns: number; rows: number } =>
    isScreen ? context.terminalSize(2) : { columns: 80, rows: 24 };
  return new TtyBuildView({ output: context.err, size, now: () => context.now() });
}

/** Nothing but what went wrong. */
class QuietBuildView implements BuildView {
  readonly #output: Output;
  readonly #steps = new BuildSteps();
  #finished = false;

  constructor(output: Output) {
    this.#output = output;
  }

  event(event: BuildEvent): void {
    this.#steps.take(event);
  }

  update(): void {}

  above(write: () => void): void {
    write();
  }

  finish(): void {
    const report = this.#finished ? [] : failureReport(this.#steps);
    this.#finished = true;
    if (report.length > 0) this.#output.write(`${report.join('\n')}\n`);
  }
}

/** Each event a line of JSON, for programs. */
class JsonBuildView implements BuildView {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  event(event: BuildEvent): void {
    const shown = event.type === 'step-log' ? { ...event, data: Buffer.from(event.data).toString() } : event;
    this.#output.write(`${JSON.stringify(shown)}\n`);
  }

  update(): void {}

  above(write: () => void): void {
    write();
  }

  finish(): void {}
}

/** Lines with the number of their step before them, as they come. */
class PlainBuildView implements BuildView {
  readonly #output: Output;
  readonly #steps = new BuildSteps();
  #finished = false;
  /** The step that wrote last: another one begins with an empty line and its title. */
  #last = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  event(event: BuildEvent): void {
    const lines = this.#steps.take(event);
    if (event.type === 'warning') this.#write(warningLine(event));
    const step = 'step' in event ? this.#steps.steps.get(event.step) : undefined;
    if (!step) return;
    if (event.type === 'step-start') this.#say(step, []);
    this.#say(
      step,
      lines.map(line => logged(step, line)),
    );
    if (event.type === 'step-progress' && event.current === undefined)
      this.#say(step, [`#${step.number} ${printableLine(event.id)} ${printableLine(event.status)}`]);
    if (step.ended !== undefined) this.#say(step, [endOf(step)]);
  }

  update(): void {}

  above(write: () => void): void {
    write();
  }

  finish(): void {
    const report = this.#finished ? [] : failureReport(this.#steps);
    this.#finished = true;
    if (report.length > 0) this.#write(`\n${report.join('\n')}`);
  }

  #say(step: StepState, lines: readonly string[]): void {
    const isNew = this.#last !== step.number;
    if (isNew && (lines.length > 0 || step.log.length === 0)) {
      this.#write(`${this.#last > 0 ? '\n' : ''}#${step.number} ${step.title}`);
      this.#last = step.number;
    }
    if (lines.length > 0) this.#write(lines.join('\n'));
  }

  #write(text: string): void {
    this.#output.write(`${text}\n`);
  }
}

const logged = (step: StepState, { at, text }: LoggedLine): string =>
  `#${step.number} ${(at / 1000).toFixed(3)} ${text}`;

function endOf({ number, status, message = '', started, ended = started }: StepState): string {
  if (status === 'cached') return `#${number} CACHED`;
  if (status === 'cancelled') return `#${number} CANCELED`;
  if (status === 'failed') return `#${number} ERROR: ${message}`;
  return `#${number} DONE ${((ended - started) / 1000).toFixed(1)}s`;
}
