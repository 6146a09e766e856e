/**
 * Rejects when `work` has not settled after `ms`. uvu has no time-outs: whatever waits for a process or a socket is
 * wrapped in this, so that a hang is a failed test with a name.
 */
export async function within<T>(
  ms: number,
  work: Promise<T> | (() => Promise<T>),
  what = 'the test',
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([typeof work === 'function' ? work() : work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again every 20 ms until `check` gives something; for states of other processes that nobody announces. */
export async function eventually<T>(
  ms: number,
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
