import { constants } from 'node:os';

/** What a docker client forwards, less what belongs to the client itself (SIGCHLD, SIGPIPE, SIGWINCH, job control). */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;

/** Passes this process's signals on until the returned function is called. */
export function proxySignals(send: (number: number) => void): () => void {
  const forward = (signal: NodeJS.Signals): void => send(constants.signals[signal]);
  for (const signal of FORWARDED) process.on(signal, forward);
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}
