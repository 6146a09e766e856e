import { Readable, Writable } from 'node:stream';
import { runCli } from '../../src/cli/cli.ts';
import type { Api, CliContext } from '../../src/cli/context.ts';
import { OutputClosed } from '../../src/cli/output.ts';
import type { Attached, OpenOptions } from '../../src/index.ts';

/** A command line run in this process, against whatever stands in for the library. */
export interface FakeRun {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** What the command opened the store with; undefined when it never did. */
  readonly opened: OpenOptions | undefined;
}

export interface FakeWorld {
  /** Methods of Tsbox; one that is not given fails the test when it is called. */
  readonly api?: Partial<Api>;
  readonly env?: Record<string, string>;
  /** Descriptors that are terminals. */
  readonly terminals?: readonly number[];
  readonly stdin?: string;
  readonly now?: number;
  readonly size?: { columns: number; rows: number };
  /** stdout behaves like a closed pipe after this many writes. */
  readonly closeAfter?: number;
  /** The signal that came while the command ran. */
  readonly signal?: number;
}

export async function cli(argv: readonly string[], world: FakeWorld = {}): Promise<FakeRun> {
  const written = { out: '', err: '' };
  let opened: OpenOptions | undefined;
  let writes = 0;
  const output = (name: 'out' | 'err') => ({
    write(data: string | Uint8Array): void {
      if (name === 'out' && ++writes > (world.closeAfter ?? Number.POSITIVE_INFINITY))
        throw new OutputClosed();
      written[name] += typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
    },
    flush: async () => {},
  });
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const status = await runCli(
    argv,
    (globals): CliContext => ({
      env: world.env ?? {},
      stdin: Readable.from([world.stdin ?? '']),
      stdout: nowhere,
      stderr: nowhere,
      colorDepth: 1,
      out: output('out'),
      err: output('err'),
      globals,
      interrupt: {
        arm: () => new AbortController().signal,
        disarm: () => {},
        fatal: () => {},
        signal: world.signal ?? 0,
      },
      open: async options => {
        opened = options;
        return strict(world.api ?? {});
      },
      isTerminal: async fd => (world.terminals ?? []).includes(fd),
      terminalSize: () => world.size ?? { columns: 80, rows: 24 },
      now: () => world.now ?? Date.parse('2024-05-01T12:00:00Z'),
    }),
  );
  return { status, ...written, opened };
}

function strict(api: Partial<Api>): Api {
  return new Proxy(api as Api, {
    get(target, name) {
      if (name === 'then') return undefined;
      if (Object.hasOwn(target, name)) return Reflect.get(target, name);
      return () => {
        throw new Error(`unexpected call of ${String(name)}`);
      };
    },
  });
}

/** A command that has ended already. */
export const ended = (exitCode: number, detached = false): Attached => ({
  id: 'f'.repeat(64),
  stdin: undefined,
  stdout: undefined,
  stderr: undefined,
  kill: () => {},
  wait: async () => ({ exitCode, detached }),
});
