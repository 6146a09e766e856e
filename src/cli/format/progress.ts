import type { ProgressEvent } from '../../log.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import { printableLine } from '../printable.ts';
import { barLine, isDone } from './progress-bar.ts';

/** Progress of several items on one of our streams. */
export interface ProgressView {
  update(event: ProgressEvent): void;
  /** Makes room above the bars for what `write` writes: whole lines, to either stream. */
  above(write: () => void): void;
  /** Shows the last state and lets go of the screen. */
  finish(): void;
}

type ViewContext = Pick<CliContext, 'out' | 'err' | 'isTerminal' | 'terminalSize' | 'env'>;

/** A stream with its descriptor. */
interface Sink {
  readonly output: Output;
  size(): { columns: number; rows: number };
}

/** `fd`: where it is shown. docker's pull uses stdout, a pull on the way to something else stderr. */
export async function openProgress(context: ViewContext, fd: 1 | 2): Promise<ProgressView> {
  const sink = { output: fd === 1 ? context.out : context.err, size: () => context.terminalSize(fd) };
  const dumb = context.env.TERM === 'dumb';
  return !dumb && (await context.isTerminal(fd)) ? new Bars(sink) : new Lines(sink.output);
}

/** Elsewhere than on a terminal: one line for each change of state, no counting. */
class Lines implements ProgressView {
  readonly #output: Output;
  readonly #last = new Map<string, string>();

  constructor(output: Output) {
    this.#output = output;
  }

  update(event: ProgressEvent): void {
    if (this.#last.get(event.id) === event.status) return;
    this.#last.set(event.id, event.status);
    const head = event.id === '' ? '' : `${event.id}: `;
    this.#output.write(`${printableLine(head + event.status)}\n`);
  }

  above(write: () => void): void {
    write();
  }

  finish(): void {}
}

const FRAME = 60;
const UP = (lines: number): string => (lines > 0 ? `\x1b[${lines}A` : '');
const CLEAR_RIGHT = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/**
 * Bars that are redrawn in place. A frame is one write, at most one in FRAME milliseconds, and touches only lines that
 * have changed, so nothing flickers. When there are more items than rows, finished ones are counted instead of shown.
 */
class Bars implements ProgressView {
  readonly #sink: Sink;
  readonly #items = new Map<string, ProgressEvent>();
  /** What is on the screen, the cursor being on the line after it. */
  #shown: string[] = [];
  #columns = 0;
  #timer: NodeJS.Timeout | undefined;
  #broken: unknown;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  update(event: ProgressEvent): void {
    if (this.#broken) throw this.#broken;
    this.#items.set(event.id, event);
    this.#timer ??= setTimeout(() => this.#tick(), FRAME).unref();
  }

  above(write: () => void): void {
    this.#sink.output.write(`${UP(this.#shown.length)}\r${CLEAR_BELOW}`);
    write();
    this.#shown = [];
    this.#draw();
  }

  finish(): void {
    this.#draw(true);
    this.#items.clear();
    this.#shown = [];
  }

  /** Nobody stands above a timer: what goes wrong is for whoever comes with the next event. */
  #tick(): void {
    try {
      this.#draw();
    } catch (error) {
      this.#broken = error;
    }
  }

  #draw(last = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { columns, rows } = this.#sink.size();
    const lines = this.#lines(columns - 1, last ? Number.POSITIVE_INFINITY : rows - 1);
    const frame = this.#frame(lines, columns);
    if (frame !== '') this.#sink.output.write(frame);
    this.#shown = lines;
    this.#columns = columns;
  }

  #lines(width: number, room: number): string[] {
    const events = [...this.#items.values()];
    if (events.length <= room) return events.map(event => barLine(event, width));
    const active = events.filter(event => !isDone(event));
    const summary = `${events.length - active.length} of ${events.length} complete`.slice(0, width);
    return [summary, ...active.slice(0, Math.max(0, room - 1)).map(event => barLine(event, width))];
  }

  /** The least that turns what is shown into `lines`. */
  #frame(lines: readonly string[], columns: number): string {
    const before = this.#shown;
    // After a resize the terminal has wrapped our lines: all of them are drawn again.
    const all = columns !== this.#columns || lines.length < before.length;
    let frame = '';
    let skipped = 0;
    lines.forEach((line, i) => {
      if (!all && line === before[i]) skipped++;
      else {
        frame += `${'\n'.repeat(skipped)}\r${line}${CLEAR_RIGHT}\n`;
        skipped = 0;
      }
    });
    if (frame === '' && !all) return '';
    return `${UP(before.length)}${frame}${'\n'.repeat(skipped)}${all ? CLEAR_BELOW : ''}`;
  }
}
