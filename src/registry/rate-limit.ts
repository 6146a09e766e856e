import { cleanText } from './text.ts';

/** What a registry says about how much more it will answer (Docker Hub's headers, and the IETF draft they come from). */
export interface RateLimit {
  readonly remaining: number;
  readonly limit: number | undefined;
  /** Seconds in which `limit` requests are answered. */
  readonly window: number | undefined;
}

type Headers = Readonly<Record<string, string>>;

/** `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 76;w=21600`; undefined where nothing is said. */
export function parseRateLimit(headers: Headers): RateLimit | undefined {
  const remaining = /^\s*([0-9]{1,12})\s*(?:;|$)/.exec(headers['ratelimit-remaining'] ?? '')?.[1];
  if (remaining === undefined) return undefined;
  const said = headers['ratelimit-limit'] ?? '';
  const limit = /^\s*([0-9]{1,12})\s*(?:[;,]|$)/.exec(said)?.[1];
  const window = /;\s*w=([0-9]{1,9})/.exec(`${headers['ratelimit-remaining']} ${said}`)?.[1];
  return {
    remaining: Number(remaining),
    limit: limit === undefined ? undefined : Number(limit),
    window: window === undefined ? undefined : Number(window),
  };
}

/** A warning when a tenth or less is left; undefined while there is plenty. */
export function lowLimit({ remaining, limit, window }: RateLimit, host: string): string | undefined {
  const few = limit === undefined ? remaining <= 10 : remaining <= limit / 10;
  if (!few) return undefined;
  const span = window === undefined ? '' : ` within ${duration(window)}`;
  const all = limit === undefined ? span : ` of ${limit}${span}`;
  return cleanText(
    `registry ${host} allows ${remaining} more pulls${all}; more for who is logged in, perhaps`,
  );
}

/** Milliseconds until requests are answered again, for an answer 429 without Retry-After. */
export function resetAfter(status: number, headers: Headers): number | undefined {
  const seconds = /^\s*([0-9]{1,9})\s*$/.exec(headers['ratelimit-reset'] ?? '')?.[1];
  return status === 429 && seconds !== undefined ? Number(seconds) * 1000 : undefined;
}

function duration(seconds: number): string {
  if (seconds >= 7200) return `${Math.round(seconds / 3600)} hours`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`;
}
