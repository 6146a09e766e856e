import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { collect, statusOf } from './cli.ts';
import type { TempHome } from './temp-home.ts';
import { eventually, within } from './within.ts';

/** A program on a terminal of its own, made by script(1): what a person at a keyboard sees and types. */
export interface Pty {
  readonly child: ChildProcess;
  /** Everything on the screen so far, carriage returns removed. */
  text(): string;
  type(keys: string): void;
  /** Waits until the screen matches. */
  expect(pattern: RegExp, ms?: number): Promise<RegExpExecArray>;
  /** What a terminal emulator does when its window changes: the size and SIGWINCH. */
  resize(rows: number, cols: number): void;
  /** The status of the program. */
  end(ms?: number): Promise<number>;
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

export async function openPty(
  command: readonly string[],
  home: TempHome,
  size: { rows: number; cols: number } = { rows: 24, cols: 80 },
): Promise<Pty> {
  const setUp = `stty rows ${size.rows} cols ${size.cols}; echo "tty=$(tty)="; exec ${command.map(quote).join(' ')}`;
  const child = spawn('script', ['-qefc', setUp, '/dev/null'], { env: { ...home.env }, cwd: home.dir });
  const output = collect(child.stdout);
  const status = statusOf(child);
  const text = (): string => output().replaceAll('\r', '');
  const expect = (pattern: RegExp, ms = 10_000): Promise<RegExpExecArray> =>
    eventually(ms, `${pattern} on the screen`, () => pattern.exec(text()) ?? undefined).catch(error => {
      throw new Error(`${(error as Error).message}; it shows:\n${text()}`);
    });
  const tty = (await expect(/tty=(\S+)=/))[1] ?? '';
  return {
    child,
    text,
    expect,
    type: keys => void child.stdin.write(keys),
    resize: (rows, cols) => void spawnSync('stty', ['-F', tty, 'rows', String(rows), 'cols', String(cols)]),
    end: (ms = 10_000) => within(ms, status, `the end of ${command.join(' ')}`),
  };
}
