import type { Readable } from 'node:stream';

/**
 * The lines of a stream in UTF-8, without their newlines, one for each call and in the order of the calls; undefined behind the last one. What
 * stands behind the last newline is a line, too. The stream's own end counts, not that of the process that writes: a process can be gone before
 * what it wrote has been read.
 */
export function linesOf(stream: Readable | null): () => Promise<string | undefined> {
  const ready: string[] = [];
  const waiting: ((line: string | undefined) => void)[] = [];
  let rest = '';
  let ended = stream === null;
  const give = (line: string): void => {
    const next = waiting.shift();
    if (next) next(line);
    else ready.push(line);
  };
  const end = (): void => {
    if (ended) return;
    ended = true;
    if (rest !== '') give(rest);
    for (const next of waiting.splice(0)) next(undefined);
  };
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(give);
  });
  // A pipe that breaks has no `end`.
  stream?.once('end', end).once('close', end);
  return () => {
    if (ready.length > 0 || ended) return Promise.resolve(ready.shift());
    return new Promise(resolve => waiting.push(resolve));
  };
}

/** All of a stream from now on, once it has ended or broken. */
export function bytesOf(stream: Readable | null): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise(resolve => {
    const end = (): void => resolve(Buffer.concat(chunks));
    if (stream === null) end();
    stream
      ?.on('data', (chunk: Buffer) => chunks.push(chunk))
      .once('end', end)
      .once('close', end);
  });
}
