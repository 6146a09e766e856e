import type { Engine } from './context.ts';
import type { Finding } from './disk-types.ts';

/** Something wrong, and how it is mended where that is possible. */
export interface Problem extends Omit<Finding, 'repaired' | 'mendable'> {
  readonly mend?: (() => Promise<unknown>) | undefined;
}

/** One step of `system check`; changes nothing itself. */
export type Check = (engine: Engine, options: { readonly full: boolean }) => Promise<Problem[]>;
