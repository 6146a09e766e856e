/** Numbers of cgroup v1, which docker's flags still speak, as cgroup v2 measures them. */

/**
 * cpu.shares (2 to 262144, default 1024) → cpu.weight (1 to 10000, default 100), as runc does since 1.3.2: a parabola in
 * the logarithms through (2, 1), (1024, 100), (262144, 10000), so that the default stays the default.
 */
export function weightOfShares(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const l = Math.log2(shares);
  return Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34));
}

/** blkio.weight (10 to 1000) → io.weight (1 to 10000): a line, as runc draws it. */
export const ioWeight = (weight: number): number => 1 + Math.floor(((weight - 10) * 9999) / 990);

/** cpu.weight → nice(2), by the scheduler's own table: a step is a factor of 1.25. Only ever nicer: nobody may be less. */
export function niceOfWeight(weight: number): number {
  const steps = Math.round(Math.log(100 / weight) / Math.log(1.25));
  return Math.min(19, Math.max(0, steps));
}

/** `0-2,4` → 0, 1, 2, 4. Undefined for anything else. cpuset(7), list format. */
export function parseCpuList(text: string): number[] | undefined {
  const found = new Set<number>();
  for (const part of text.trim().split(',')) {
    const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first)) return undefined;
    for (let n = Number(first); n <= Number(last); n++) found.add(n);
  }
  return [...found].sort((a, b) => a - b);
}
