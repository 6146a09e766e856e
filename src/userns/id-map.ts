/** A range of ids that exist inside a user namespace. */
export interface IdSpan {
  readonly first: number;
  readonly last: number;
}

/** Reads /proc/self/uid_map (user_namespaces(7)): lines of inside, outside, count. */
export function parseIdMap(text: string): IdSpan[] {
  return text
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .flatMap(([inside, , count]) =>
      inside !== undefined && count !== undefined && count > 0
        ? [{ first: inside, last: inside + count - 1 }]
        : [],
    );
}

export function holdsId(spans: readonly IdSpan[], id: number): boolean {
  return spans.some(span => span.first <= id && id <= span.last);
}
