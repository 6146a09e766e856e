import { TsboxError } from '../errors.ts';
import type { Healthcheck } from '../oci/config.ts';
import type { HealthCheck, LogConfig, RestartPolicy } from '../store/container-record.ts';
import { parseDuration } from '../util/duration.ts';
import { parseSize } from '../util/size.ts';
import type { CreateOptions, HealthOptions } from './types.ts';

/** What the supervisor does beside running the command: restart, look after its health, keep its log. */

const usage = (message: string, hint: string): TsboxError => new TsboxError('USAGE', message, { hint });

const RESTART_HINT = '--restart no, always, unless-stopped, on-failure or on-failure:3';

/** docker's --restart. Throws USAGE, also together with --rm: the two contradict each other. */
export function parseRestart(options: CreateOptions): RestartPolicy | undefined {
  const { restart } = options;
  if (restart === undefined || restart === '' || restart === 'no') return undefined;
  const [, name, max] = /^(always|unless-stopped|on-failure)(?::(\d{1,9}))?$/.exec(restart) ?? [];
  if (name === undefined) throw usage(`restart policy ${JSON.stringify(restart)} is not known`, RESTART_HINT);
  if (max !== undefined && name !== 'on-failure') {
    throw usage(`restart policy ${name} takes no number of attempts`, RESTART_HINT);
  }
  if (options.autoRemove) {
    throw usage('--restart and --rm contradict each other', 'leave one of them out');
  }
  return { name: name as RestartPolicy['name'], maximumRetryCount: Number(max ?? 0) };
}

const LOG_DRIVERS = ['json-file', 'local', 'k8s-file', 'none'] as const;

/** docker's --log-driver and --log-opt. The file is the same for all drivers but `none`. Throws USAGE. */
export function parseLog(options: CreateOptions): LogConfig | undefined {
  if (options.logDriver === undefined && options.logOptions === undefined) return undefined;
  const driver = LOG_DRIVERS.find(name => name === (options.logDriver ?? 'json-file'));
  if (driver === undefined) {
    throw usage(
      `log driver ${JSON.stringify(options.logDriver)} needs a daemon that carries lines away`,
      `one of ${LOG_DRIVERS.join(', ')}; tsbox logs -f NAME | logger sends them on`,
    );
  }
  const words = logWords(options.logOptions ?? []);
  if (driver === 'none' && Object.keys(words).length > 0) {
    throw usage('--log-driver none keeps nothing, so --log-opt means nothing', 'leave one of them out');
  }
  return { driver, ...maxSize(words['max-size']), ...maxFile(words), options: words };
}

function logWords(options: readonly string[]): Record<string, string> {
  const words: Record<string, string> = {};
  for (const option of options) {
    const [, key, value] = /^(max-size|max-file)=(.+)$/s.exec(option) ?? [];
    if (key === undefined || value === undefined) {
      throw usage(`log option ${JSON.stringify(option)} is not known`, '--log-opt max-size=10m, max-file=3');
    }
    words[key] = value;
  }
  return words;
}

function maxSize(text: string | undefined): { maxSize?: number } {
  if (text === undefined || text === '-1') return {};
  const bytes = parseSize(text);
  if (bytes === undefined || bytes < 1)
    throw usage(`log option max-size=${text} is not a size`, '--log-opt max-size=10m');
  return { maxSize: bytes };
}

function maxFile(words: Readonly<Record<string, string>>): { maxFile?: number } {
  const text = words['max-file'];
  if (text === undefined) return {};
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw usage(`log option max-file=${text} is not a number from 1 on`, '--log-opt max-file=3');
  if (Number(text) > 1 && words['max-size'] === undefined)
    throw usage(
      'log option max-file needs a max-size at which the file is put aside',
      '--log-opt max-size=10m',
    );
  return { maxFile: Number(text) };
}

const SECOND = 1000;
const NANOSECONDS = 1e6;

/** The image's check with --health-* over it; undefined: none. Throws USAGE. */
export function parseHealth(
  image: Healthcheck | undefined,
  options: HealthOptions | undefined,
): HealthCheck | undefined {
  if (options?.none) return refuseOthers(options);
  const test = options?.cmd ? ['CMD-SHELL', options.cmd] : (image?.Test ?? []);
  if (test.length === 0 || test[0] === 'NONE') return refuseWithout(options);
  return {
    test,
    interval: time('interval', options?.interval, image?.Interval, 30 * SECOND),
    timeout: time('timeout', options?.timeout, image?.Timeout, 30 * SECOND),
    startPeriod: time('start-period', options?.startPeriod, image?.StartPeriod, 0),
    startInterval: time('start-interval', options?.startInterval, image?.StartInterval, 5 * SECOND),
    retries: retries(options?.retries) || image?.Retries || 3,
  };
}

function refuseOthers(options: HealthOptions): undefined {
  const { none, ...others } = options;
  if (Object.keys(others).length > 0)
    throw usage('--no-healthcheck and --health-… contradict each other', 'leave one of them out');
  return undefined;
}

function refuseWithout(options: HealthOptions | undefined): undefined {
  const { cmd, ...others } = options ?? {};
  if (Object.keys(others).length > 0)
    throw usage('there is no health check to change: the image has none', '--health-cmd COMMAND');
  return undefined;
}

/** 0 is docker's word for the default. */
function time(name: string, text: string | undefined, image: number | undefined, standard: number): number {
  if (text === undefined) return image ? image / NANOSECONDS : standard;
  const ms = text === '0' ? 0 : parseDuration(text);
  if (ms === undefined || (ms > 0 && ms < 1))
    throw usage(
      `--health-${name} ${JSON.stringify(text)} is not a time of at least 1ms`,
      `--health-${name} 30s`,
    );
  return ms || standard;
}

function retries(count: number | undefined): number | undefined {
  if (count === undefined || count >= 0) return count;
  throw usage(`--health-retries ${count} is below 0`, '--health-retries 3');
}
