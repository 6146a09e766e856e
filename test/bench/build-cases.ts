import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TSBOX } from '../support/cli.ts';
import type { Scene } from './cases.ts';
import { type Case, call, type Work } from './measure.ts';

/** `build` beside `podman build`, with the same words. */

const INSTRUCTIONS = [
  'ENV A=1 B=2',
  'WORKDIR /srv/app',
  'COPY one.txt .',
  'RUN mkdir made && echo $A > made/a',
  'COPY two.txt made/',
  'RUN cat one.txt made/two.txt > all && chmod 600 all',
  'LABEL k=v',
  'RUN rm one.txt',
  'CMD ["cat", "all"]',
];

/** `--layers`: as with tsbox, every step can be taken from the cache. */
function both(scene: Scene, context: string, file: string, ...flags: string[]): Record<string, Work> {
  const args = ['build', '-q', '--network', 'none', ...flags, '-f', file, '-t', 'bench-build'];
  const ours: Work = { run: async () => void (await call(scene.env, TSBOX, ...args, context)) };
  const theirs: Work = {
    run: async () => void (await call(scene.env, 'podman', ...args, '--layers', context)),
  };
  return { tsbox: ours, ...(scene.peers.podman ? { podman: theirs } : {}) };
}

export function buildCases(scene: Scene): Case[] {
  const home = scene.env.HOME ?? '';
  const small = join(home, 'build-small');
  const large = join(home, 'build-large');
  mkdirSync(small, { recursive: true });
  for (const name of ['one', 'two']) writeFileSync(join(small, `${name}.txt`), name);
  writeFileSync(`${small}.Dockerfile`, `${[`FROM ${scene.busybox}`, ...INSTRUCTIONS].join('\n')}\n`);
  writeFileSync(`${large}.Dockerfile`, `FROM ${scene.busybox}\nCOPY . /files/\n`);
  makeFiles(large);
  return [
    {
      name: '`build`, 10 instructions, cold',
      rounds: 5,
      target: 0.5,
      tools: both(scene, small, `${small}.Dockerfile`, '--no-cache'),
    },
    {
      name: '`build`, 10 instructions, all cached',
      rounds: 9,
      target: 0.35,
      tools: both(scene, small, `${small}.Dockerfile`),
    },
    {
      name: '`build`, COPY of 10,000 files',
      rounds: 3,
      target: 0.6,
      tools: both(scene, large, `${large}.Dockerfile`, '--no-cache'),
    },
  ];
}

function makeFiles(root: string): void {
  for (let dir = 0; dir < 100; dir++) {
    mkdirSync(join(root, `d${dir}`), { recursive: true });
    for (let i = 0; i < 100; i++) writeFileSync(join(root, `d${dir}`, `f${i}`), `${dir} ${i}\n`.repeat(200));
  }
}
