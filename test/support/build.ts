import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Box, Result } from './cli.ts';
import { busybox } from './ready.ts';

/** A file's text, or where a link leads to; `mode` for files. */
export type ContextFile = string | Buffer | { readonly link: string };

/** A context in the test file's home, and builds of it without network. */
export interface Scene {
  readonly box: Box;
  readonly dir: string;
  put(files: Readonly<Record<string, ContextFile>>, mode?: number): void;
  /** Builds a Dockerfile as the image `made`; status 0 is asserted. Returns what progress said. */
  build(dockerfile: string, ...flags: string[]): Promise<string>;
  /** The same without the assertion. */
  try(dockerfile: string, ...flags: string[]): Promise<Result>;
  /** `sh -c` in the image `made`. */
  sh(script: string): Promise<string>;
}

let count = 0;

export async function scene(files: Readonly<Record<string, ContextFile>> = {}): Promise<Scene> {
  const box = await busybox();
  const dir = join(box.home.dir, `context-${++count}`);
  mkdirSync(dir);
  const put = (all: Readonly<Record<string, ContextFile>>, mode = 0o644): void => {
    for (const [name, content] of Object.entries(all)) {
      const path = join(dir, name);
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true });
      if (typeof content === 'string' || Buffer.isBuffer(content)) {
        writeFileSync(path, content);
        chmodSync(path, mode);
      } else symlinkSync(content.link, path);
    }
  };
  put(files);
  const argsOf = (dockerfile: string, flags: readonly string[]): string[] => {
    writeFileSync(`${dir}.Dockerfile`, `${dockerfile}\n`);
    return [
      'build',
      '--progress',
      'plain',
      '--network',
      'none',
      '-f',
      `${dir}.Dockerfile`,
      '-t',
      'made',
      ...flags,
      dir,
    ];
  };
  const attempt = (dockerfile: string, ...flags: string[]) => box(...argsOf(dockerfile, flags));
  return {
    box,
    dir,
    put,
    try: attempt,
    build: async (dockerfile, ...flags) => {
      const done = await attempt(dockerfile, ...flags);
      if (done.code !== 0) throw new Error(`build: status ${done.code}\n${done.stderr}`);
      return done.stderr;
    },
    sh: script => box.ok('run', '--rm', '--network', 'none', 'made', 'sh', '-c', script),
  };
}

/** How many steps were taken from the cache. */
export const cachedSteps = (progress: string): number => progress.match(/^#\d+ CACHED/gm)?.length ?? 0;

/** What is in a directory of the store, without names of ours that begin with a dot. */
export const inStore = (box: Box, name: string): string[] =>
  readdirSync(join(box.home.store, name)).filter(each => !each.startsWith('.'));
