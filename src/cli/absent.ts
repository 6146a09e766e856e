import type { UnknownFlag } from './argv.ts';

export function explainFlag(error: UnknownFlag, verb: string): UnknownFlag {
  return error;
}
