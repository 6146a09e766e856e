import { selfCommand } from '../host/self.ts';
import type { Engine } from './context.ts';

/** The command line of tsbox itself on this store. */
export function selfWith(engine: Engine, ...words: string[]): string[] {
  const { root, runtime } = engine.paths;
  return [...selfCommand('cli'), '--root', root, '--runtime-dir', runtime, ...words];
}
