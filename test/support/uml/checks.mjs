/** What the programs inside User-mode Linux share: expectations, and one line of JSON for each check. */

export function same(actual, expected) {
  if (actual !== expected)
    throw new Error(`expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`);
}

export function match(text, pattern) {
  if (!pattern.test(text)) throw new Error(`expected ${pattern}, found ${JSON.stringify(text)}`);
}

/** In order, each to its end; `say` writes a line. */
export async function runChecks(checks, say) {
  for (const [name, check] of Object.entries(checks)) {
    const from = performance.now();
    const result = await Promise.resolve()
      .then(check)
      .then(
        note => ({ ok: true, note: note ?? '' }),
        error => ({ ok: false, note: String(error.message) }),
      );
    say({ name, ...result, ms: Math.round(performance.now() - from) });
  }
}
