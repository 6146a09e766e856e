import type { BuildEvent } from '../../index.ts';
import type { ProgressEvent } from '../../log.ts';
import type { Output } from '../output.ts';
import type { BuildView } from './build-progress.ts';
import { BuildSteps, failureReport, type StepState, seconds, warningLine } from './build-progress-steps.ts';
import { barLine, isDone } from './progress-bar.ts';

const FRAME = 100;
/** Lines of a running step's log. */
const TAIL = 6;
const UP = (lines: number): string => (lines > 0 ? `\x1b[${lines}A` : '');
const CLEAR_RIGHT = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

interface Screen {
  readonly output: Output;
  size(): { columns: number; rows: number };
  now(): number;
}

/** Steps that are redrawn in place: one line each with its time, below those that run the end of what they write. */
export class TtyBuildView implements BuildView {
  readonly #screen: Screen;
  readonly #steps = new BuildSteps();
  readonly #pulls = new Map<string, ProgressEvent>();
  readonly #warnings: string[] = [];
  readonly #timer: NodeJS.Timeout;
  #shown: string[] = [];
  #columns = 0;
  #finished = false;

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#timer = setInterval(() => this.#draw(), FRAME).unref();
  }

  event(event: BuildEvent): void {
    this.#steps.take(event);
    if (event.type === 'warning') this.#warnings.push(warningLine(event));
  }

  update(event: ProgressEvent): void {
    if (isDone(event)) this.#pulls.delete(event.id);
    else this.#pulls.set(event.id, event);
  }

  above(write: () => void): void {
    this.#screen.output.write(`${UP(this.#shown.length)}\r${CLEAR_BELOW}`);
    this.#shown = [];
    write();
    if (!this.#finished) this.#draw();
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    clearInterval(this.#timer);
    this.#pulls.clear();
    this.#draw();
    this.#shown = [];
    const report = [...this.#warnings, ...failureReport(this.#steps)];
    if (report.length > 0) this.#screen.output.write(`${report.join('\n')}\n`);
  }

  #draw(): void {
    const { columns, rows } = this.#screen.size();
    const lines = this.#lines(columns - 1, this.#finished ? Number.POSITIVE_INFINITY : rows - 1);
    this.#screen.output.write(this.#frame(lines, columns));
    this.#shown = lines;
    this.#columns = columns;
  }

  /** The oldest steps leave when there are too many. */
  #lines(width: number, room: number): string[] {
    const now = this.#screen.now();
    const { total, finished, steps } = this.#steps;
    const all = this.#finished ? steps.size : Math.max(total, steps.size);
    const count = total > 0 ? ` (${finished}/${all})` : '';
    const word = this.#finished ? ' FINISHED' : '';
    const head = `[+] Building ${seconds(now - this.#steps.began(now))}${count}${word}`;
    const blocks = [...steps.values()].map(step => this.#block(step, now, width));
    const pulls = [...this.#pulls.values()].map(event => ` => => ${barLine(event, width - 7)}`);
    const lines = [...blocks.flat(), ...pulls];
    const kept = lines.length > room - 1 ? lines.slice(-(room - 1)) : lines;
    return [head.slice(0, width), ...kept];
  }

  #block(step: StepState, now: number, width: number): string[] {
    const word = { running: '', done: '', cached: 'CACHED ', failed: 'ERROR ', cancelled: 'CANCELED ' }[
      step.status
    ];
    const time = seconds((step.ended ?? now) - step.started).padStart(7);
    const title = ` => ${word}${step.title}`;
    const room = Math.max(10, width - time.length - 1);
    const line = `${title.slice(0, room).padEnd(room)} ${time}`;
    if (step.status !== 'running') return [line];
    const tail = step.log.slice(-TAIL).map(({ text }) => ` => => # ${text}`.slice(0, width));
    const parts = [...step.parts.values()].slice(-TAIL).map(part => ` => => ${barLine(part, width - 7)}`);
    return [line, ...parts, ...tail];
  }

  /** One write, only of lines that have changed: nothing flickers. */
  #frame(lines: readonly string[], columns: number): string {
    const before = this.#shown;
    const all = columns !== this.#columns || lines.length < before.length;
    const body = lines.map((line, i) => (!all && line === before[i] ? '\n' : `\r${line}${CLEAR_RIGHT}\n`));
    return `${UP(before.length)}${body.join('')}${all ? CLEAR_BELOW : ''}`;
  }
}
