import type { DebugArea, ProgressEvent, Reporter } from '../log.ts';
import type { CliContext } from './context.ts';
import type { ProgressView } from './format/progress.ts';
import { printable } from './printable.ts';

/** The areas of TSBOX_DEBUG; `--debug` and `all` mean every one. */
export function debugAreas(context: Pick<CliContext, 'env' | 'globals'>): ReadonlySet<string> {
  const words = (context.env.TSBOX_DEBUG ?? '').split(',').map(word => word.trim());
  if (context.globals.debug) words.push('all');
  if (words.includes('1')) words.push('all');
  return new Set(words.filter(word => word !== '' && word !== '0'));
}

interface ReporterOptions {
  /** Neither progress nor information; warnings still. */
  readonly quiet?: boolean;
  /** Where progress is shown: 1 for a command whose result it is. Default 2. */
  readonly progress?: 1 | 2;
}

/** How the engine speaks on a terminal: on stderr, stdout is for results. */
export class CliReporter implements Reporter {
  readonly #context: CliContext;
  readonly #areas: ReadonlySet<string>;
  readonly #quiet: boolean;
  readonly #progress: 1 | 2;
  readonly #warned = new Set<string>();
  /** Shows progress; undefined shows none. Made by the first event. */
  #view: ProgressView | undefined;
  #loading: Promise<void> | undefined;
  #early: ProgressEvent[] = [];
  /** Why progress cannot be shown (its reader has gone): whoever reports some hears of it. */
  #broken: unknown;

  constructor(context: CliContext, options: ReporterOptions) {
    this.#context = context;
    this.#areas = debugAreas(context);
    this.#quiet = options.quiet ?? false;
    this.#progress = options.progress ?? 2;
  }

  debug(area: DebugArea, text: () => string): void {
    if (this.#areas.size === 0) return;
    if (this.#areas.has(area) || this.#areas.has('all')) this.#line(`${area}: ${text()}`);
  }

  warn(text: string): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#line(`tsbox: warning: ${text}`);
  }

  info(text: string): void {
    if (!this.#quiet) this.#line(text);
  }

  progress(event: ProgressEvent): void {
    if (this.#quiet) return;
    if (this.#broken) throw this.#broken;
    if (this.#view) this.#view.update(event);
    else {
      this.#early.push(event);
      this.#loading ??= this.#load().catch((error: unknown) => {
        this.#broken = error;
      });
    }
  }

  /** Progress is shown by `view` from now on, and lines above it. */
  show(view: ProgressView): void {
    this.#view = view;
  }

  /** Leaves the finished bars on the screen and lets other lines follow. */
  async finish(): Promise<void> {
    await this.#loading;
    if (this.#broken) throw this.#broken;
    this.#view?.finish();
    this.#view = undefined;
    this.#loading = undefined;
  }

  async #load(): Promise<void> {
    const { openProgress } = await import('./format/progress.ts');
    this.#view = await openProgress(this.#context, this.#progress);
    for (const event of this.#early) this.#view.update(event);
    this.#early = [];
  }

  #line(text: string): void {
    const write = (): void => this.#context.err.write(`${printable(text)}\n`);
    if (this.#view) this.#view.above(write);
    else write();
  }
}
