import type { BuildEvent, SourceRange } from '../../index.ts';
import { printable, printableLine } from '../printable.ts';
import { LogLines } from './build-progress-log.ts';

export type StepStatus = 'running' | 'done' | 'cached' | 'failed' | 'cancelled';

/** A line of a step's log with the milliseconds since its begin. */
export interface LoggedLine {
  readonly at: number;
  readonly text: string;
}

/** One step as the views show it. */
export interface StepState {
  readonly number: number;
  readonly title: string;
  readonly range: SourceRange | undefined;
  readonly started: number;
  ended: number | undefined;
  status: StepStatus;
  message: string | undefined;
  /** The last of them, at most KEPT. */
  readonly log: LoggedLine[];
  /** Lines that were too many to keep. */
  dropped: number;
  readonly lines: { readonly stdout: LogLines; readonly stderr: LogLines };
  readonly parts: Map<string, Extract<BuildEvent, { type: 'step-progress' }>>;
}

const KEPT = 20_000;

/** What has happened so far. */
export class BuildSteps {
  readonly steps = new Map<number, StepState>();
  file = 'Dockerfile';
  text = '';
  total = 0;
  #began: number | undefined;

  /** Epoch milliseconds of the first event; `now` when there was none. */
  began(now: number): number {
    return this.#began ?? now;
  }

  get finished(): number {
    return [...this.steps.values()].filter(step => step.status !== 'running').length;
  }

  /** The lines that the event has completed. */
  take(event: BuildEvent): readonly LoggedLine[] {
    if ('time' in event) this.#began ??= event.time;
    if (event.type === 'plan') [this.file, this.text, this.total] = [event.file, event.text, event.steps];
    if (event.type === 'step-start') this.#begin(event);
    const step = 'step' in event ? this.steps.get(event.step) : undefined;
    if (!step) return [];
    if (event.type === 'step-log')
      return this.#log(step, event.time, step.lines[event.stream].push(event.data));
    if (event.type === 'step-progress') step.parts.set(event.id, event);
    return this.#end(step, event);
  }

  #begin({ step, title, range, time }: Extract<BuildEvent, { type: 'step-start' }>): void {
    this.steps.set(step, {
      number: step,
      title: printableLine(title),
      range,
      started: time,
      ended: undefined,
      status: 'running',
      message: undefined,
      log: [],
      dropped: 0,
      lines: { stdout: new LogLines(), stderr: new LogLines() },
      parts: new Map(),
    });
  }

  #end(step: StepState, event: BuildEvent): readonly LoggedLine[] {
    if (event.type === 'step-done') step.status = event.cached ? 'cached' : 'done';
    else if (event.type === 'step-cancelled') step.status = 'cancelled';
    else if (event.type === 'step-failed') {
      step.status = 'failed';
      step.message = printable(event.message);
    } else return [];
    step.ended = event.time;
    const { stdout, stderr } = step.lines;
    const rest = this.#log(step, event.time, [...stdout.rest(), ...stderr.rest()]);
    // Only the log of what failed is looked at again.
    if (step.status !== 'failed') step.log.length = 0;
    return rest;
  }

  #log(step: StepState, time: number, lines: readonly string[]): LoggedLine[] {
    const logged = lines.map(text => ({ at: time - step.started, text }));
    for (const line of logged) step.log.push(line);
    if (step.log.length > KEPT + 1000) step.dropped += step.log.splice(0, step.log.length - KEPT).length;
    return logged;
  }
}

/** `WARNING: message (Dockerfile:3)`. */
export function warningLine({ warning }: Extract<BuildEvent, { type: 'warning' }>): string {
  const { message, file, range } = warning;
  const place = file === undefined || !range ? '' : ` (${printableLine(file)}:${range.start.line})`;
  return `WARNING: ${printable(message)}${place}`;
}

export const seconds = (milliseconds: number): string => `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`;

/** What a failed step has written, and its lines of the Dockerfile. */
export function failureReport(steps: BuildSteps): string[] {
  const failed = [...steps.steps.values()].find(step => step.status === 'failed');
  if (!failed) return [];
  const rule = '------';
  const dropped = failed.dropped > 0 ? [`… ${failed.dropped} lines before`] : [];
  const log = failed.log.map(({ at, text }) => `${(at / 1000).toFixed(3)} ${text}`);
  const lines = failedLines(steps, failed.range);
  return log.length === 0 ? lines : [rule, ` > ${failed.title}:`, ...dropped, ...log, rule, ...lines];
}

const MOST = 20;

function failedLines({ file, text }: BuildSteps, range: SourceRange | undefined): string[] {
  if (!range || text === '') return [];
  const lines = text.replace(/\n$/, '').split(/\r?\n/);
  const [first, last] = [range.start.line, Math.min(range.end.line, range.start.line + MOST)];
  const from = Math.max(1, first - 1);
  const shown = lines.slice(from - 1, last + 1).map((line, i) => {
    const number = from + i;
    const mark = number >= first && number <= last ? '>>> ' : '    ';
    return `${String(number).padStart(4)} | ${mark}${printable(line.slice(0, 200))}`;
  });
  const rule = '-'.repeat(20);
  return [`${printableLine(file)}:${first}`, rule, ...shown, rule];
}
