import { TsboxError } from '../errors.ts';
import type { CliContext } from './context.ts';

type PromptContext = Pick<CliContext, 'stdin' | 'err'>;

/** A line that is typed after `question`. The caller has seen that stdin is a terminal. Throws ABORTED at its end. */
export async function ask(context: PromptContext, question: string): Promise<string> {
  context.err.write(question);
  return readKeys(context, new Line());
}

/** The same without showing what is typed. */
export async function askSecret(context: PromptContext, question: string): Promise<string> {
  const terminal = context.stdin as NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown };
  // The echo goes off before the question is seen: who answers at once is not shown, either.
  terminal.setRawMode?.(true);
  try {
    context.err.write(question);
    return await readKeys(context, new Line());
  } finally {
    terminal.setRawMode?.(false);
    context.err.write('\n');
  }
}

async function readKeys({ stdin }: PromptContext, line: Line): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      stdin.on('data', (chunk: Buffer | string) => {
        const end = line.type(chunk.toString());
        if (end === 'done') resolve(line.text);
        else if (end === 'cancelled') reject(cancelled());
      });
      stdin.once('end', () => reject(cancelled()));
      stdin.once('error', reject);
      // After a pause, a listener alone does not start it again.
      stdin.resume();
    });
  } finally {
    stdin.removeAllListeners('data');
    stdin.removeAllListeners('end');
    stdin.removeAllListeners('error');
    stdin.pause();
  }
}

const cancelled = (): TsboxError => new TsboxError('ABORTED', 'nothing was entered', { exitCode: 130 });

/** What is typed, with the keys that a terminal in raw mode no longer handles itself. */
export class Line {
  text = '';

  type(keys: string): 'done' | 'cancelled' | undefined {
    for (const key of keys) {
      if (key === '\r' || key === '\n') return 'done';
      if (key === '\x03' || (key === '\x04' && this.text === '')) return 'cancelled';
      if (key === '\x7f' || key === '\b') this.text = [...this.text].slice(0, -1).join('');
      else if (key === '\x15') this.text = '';
      else if (key !== '\x04') this.text += key;
    }
    return undefined;
  }
}
