import { bootId, isAlive, processStart } from '../host/probe.ts';

/**
 * The identity of a process as text, for the names of what it is working on: `pid-start-boot`. No lock is needed to see
 * that the owner is dead, and a reused pid is never taken for it.
 */
export function ownIdentity(): string {
  own ??= `${process.pid}-${processStart(process.pid) ?? 0}-${bootId()}`;
  return own;
}

let own: string | undefined;

/** Is the process that this text (or the text before its first blank) names still there? False for nonsense. */
export function identityAlive(text: string): boolean {
  const parts = /^(\d+)-(\d+)-([^ ]+)/.exec(text);
  return parts !== null && parts[3] === bootId() && isAlive(Number(parts[1]), Number(parts[2]));
}
