import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildEvent, BuildOptions, BuildResult, Tsbox } from '../../src/index.ts';
import { loadedImage, openLibrary } from './library.ts';
import { tempHome } from './temp-home.ts';

/** Builds by the library in this process: no program is started for them, and their events have types. */
export interface LibraryScene {
  readonly tsbox: Tsbox;
  readonly context: string;
  put(name: string, content: string | Buffer): void;
  build(text: string, options?: BuildOptions): Promise<Built>;
  /** The files of a result, by `type=local`. */
  files(text: string, options?: BuildOptions): Promise<string>;
}

export interface Built extends BuildResult {
  readonly events: readonly BuildEvent[];
  /** How many steps came from the cache. */
  readonly cached: number;
  /** What the steps wrote. */
  readonly log: string;
}

let opened: Promise<Tsbox> | undefined;
let count = 0;

async function library(): Promise<Tsbox> {
  const tsbox = await openLibrary('build');
  await loadedImage(tsbox, 'busybox');
  return tsbox;
}

/** One store for a test file, a context for each scene. */
export async function libraryScene(
  files: Readonly<Record<string, string | Buffer>> = {},
): Promise<LibraryScene> {
  opened ??= library();
  const tsbox = await opened;
  const context = join(tempHome().dir, `library-context-${++count}`);
  mkdirSync(context);
  const put = (name: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(context, name)), { recursive: true });
    writeFileSync(join(context, name), content);
  };
  for (const [name, content] of Object.entries(files)) put(name, content);
  const build = (text: string, options: BuildOptions = {}) => built(tsbox, context, text, options);
  return {
    tsbox,
    context,
    put,
    build,
    files: async (text, options) => {
      const dest = join(tempHome().dir, `out-${++count}`);
      await build(text, { ...options, outputs: [{ type: 'local', dest }] });
      return dest;
    },
  };
}

async function built(tsbox: Tsbox, context: string, text: string, options: BuildOptions): Promise<Built> {
  const events: BuildEvent[] = [];
  const onEvent = (event: BuildEvent): void => {
    events.push(event);
    options.onEvent?.(event);
  };
  const plain = { context, dockerfileText: text, network: 'none', tags: ['made'] };
  const result = await tsbox.build({ ...plain, ...options, onEvent });
  const log = events.flatMap(event => (event.type === 'step-log' ? [Buffer.from(event.data)] : []));
  return {
    ...result,
    events,
    cached: events.filter(event => event.type === 'step-done' && event.cached).length,
    log: Buffer.concat(log).toString(),
  };
}

/** Every file beneath a directory that holds these bytes. */
export function holding(root: string, bytes: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .filter(path => readFileSync(path).includes(bytes));
}
