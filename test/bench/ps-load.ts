import { TSBOX } from '../support/cli.ts';
import { median } from '../support/functions.ts';
import type { Scene } from './cases.ts';
import { call } from './measure.ts';

const SAMPLES = 15;
const TARGET = 1.5;

/** How many times its idle time `ps` takes while four images are pulled into the same store. */
export async function psLoadRow(scene: Scene, images: readonly string[]): Promise<string> {
  const ours = await slowdown(scene, TSBOX, images);
  const theirs = scene.peers.podman ? (await slowdown(scene, 'podman', images)).toFixed(2) : '';
  const met = ours <= TARGET ? '✓' : '✗';
  return `| \`ps -a\` during four pulls, × idle | ${ours.toFixed(2)} | ${theirs} | | | | ≤ ${TARGET.toFixed(2)} ${met} |`;
}

async function slowdown({ env }: Scene, program: string, images: readonly string[]): Promise<number> {
  const ps = async (): Promise<number> => {
    const begun = performance.now();
    await call(env, program, 'ps', '-a');
    return performance.now() - begun;
  };
  const idle: number[] = [];
  for (let i = 0; i <= SAMPLES; i++) idle.push(await ps());
  const busy: number[] = [];
  while (busy.length < SAMPLES) {
    let pulling = true;
    const pulls = Promise.all(images.map(image => call(env, program, 'pull', '-q', image)));
    const ended = pulls.finally(() => {
      pulling = false;
    });
    while (pulling) {
      const took = await ps();
      if (pulling) busy.push(took);
    }
    await ended;
    await call(env, program, 'rmi', '-f', ...images);
  }
  // The first one warms caches.
  return median(busy) / median(idle.slice(1));
}
