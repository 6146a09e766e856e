import * as assert from 'node:assert/strict';
import { TsboxError } from '../../src/errors.ts';

/** A parser and what must hold for every input. `run` throws for anything but the parser's own refusals. */
export interface Target {
  run(input: Buffer): void | Promise<void>;
  readonly seeds: readonly Buffer[];
  /** Words of the format, to be put anywhere. */
  readonly words: readonly string[];
  /** Bytes of the longest input. Default 4096. */
  readonly limit?: number;
  /** Makes a changed input pass the checks that would hide everything behind them. */
  repair?(input: Buffer): Buffer;
}

/** Refusals are TsboxErrors with a short clean message. Anything else that is thrown is a finding. */
export function allowed(work: () => void): void {
  try {
    work();
  } catch (error) {
    assertRefusal(error);
  }
}

export function assertRefusal(error: unknown): void {
  if (!(error instanceof TsboxError)) throw error;
  assert.ok(error.code !== 'INTERNAL', error.message);
  assert.ok(error.message.length < 2000, 'a message of more than 2000 characters');
  assert.ok(!/(?![\t\n])\p{Cc}/u.test(error.message), `control characters: ${JSON.stringify(error.message)}`);
}
