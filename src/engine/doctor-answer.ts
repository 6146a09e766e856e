import type { HostCheck } from '../errors.ts';

/** What one check of doctor says. */
export type Answer =
  | { readonly status: 'ok'; readonly detail: string }
  | { readonly status: 'warn' | 'fail'; readonly code: HostCheck; readonly detail: string };

export const ok = (detail: string): Answer => ({ status: 'ok', detail });
/** Something is missing without which containers run all the same. */
export const warn = (code: HostCheck, detail: string): Answer => ({ status: 'warn', code, detail });
export const fail = (code: HostCheck, detail: string): Answer => ({ status: 'fail', code, detail });
