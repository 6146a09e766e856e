import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LineWriter } from '../../../src/cli/line-writer.ts';

const test = suite('output');
const MODULE = fileURLToPath(new URL('../../../src/cli/output.ts', import.meta.url));

/** Runs a script that writes through FdOutput(1), in a process of its own, since descriptors 1 and 2 are the process's. */
function script(
  body: string,
  shell: (node: string) => string,
): Promise<{ out: Buffer; err: string; status: number }> {
  const code = `import { FdOutput } from ${JSON.stringify(MODULE)};
    const out = new FdOutput(1);
    try { ${body} } catch (error) { process.stderr.write(error.constructor.name + ': ' + error.message); process.exit(3); }`;
  const node = `"${process.execPath}" --import tsx --input-type=module -e '${code.replaceAll("'", "'\\''")}'`;
  const child = spawn('bash', ['-c', shell(node)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  return new Promise(resolve =>
    child.on('close', status => resolve({ out: Buffer.concat(chunks), err, status: status ?? -1 })),
  );
}

// Each takes the time of a start: they run side by side.
const runs = {
  whole: script(
    `for (let i = 0; i < 50; i++) { out.write('x'.repeat(9999) + i + '\\n'); out.write(Buffer.from([0, 255])); } await out.flush();`,
    node => node,
  ),
  slow: script(
    `process.stdout._handle?.setBlocking?.(false);
     for (let i = 0; i < 200; i++) out.write('y'.repeat(9999) + '\\n');
     await out.flush();`,
    node => `${node} | (sleep 0.3; wc -c)`,
  ),
  gone: script(
    `for (let i = 0; i < 100; i++) { out.write('z'.repeat(99999)); await out.flush(); }`,
    node => `${node} | head -c 10 >/dev/null; exit 0`,
  ),
  full: script(`out.write('x');`, node => `${node} > /dev/full`),
  unheard: script(
    `const err = new FdOutput(2);
     for (let i = 0; i < 3; i++) { err.write('x'); await err.flush(); }
     out.write('done');`,
    node => `${node} 2> >(:); ${node} 2>&-; ${node} 2>/dev/full`,
  ),
};

test('bytes and text arrive whole, in order', async () => {
  const { out } = await runs.whole;
  assert.is(out.length, 50 * 10_002 + 90);
  assert.equal([...out.subarray(-5)], [0x34, 0x39, 0x0a, 0, 255]);
});

test('a slow reader on a non-blocking pipe gets everything', async () => {
  const { out } = await runs.slow;
  assert.is(out.toString().trim(), '2000000');
});

test('a reader that has gone is OutputClosed', async () => {
  const { err } = await runs.gone;
  assert.match(err, /^OutputClosed/, err);
});

test('a full disk is an error with words', async () => {
  const { err, status } = await runs.full;
  assert.is(status, 3);
  assert.match(err, /^TsboxError: cannot write to stdout: .*ENOSPC/);
});

test('stderr that is closed, gone or full: the work goes on', async () => {
  assert.is((await runs.unheard).out.toString(), 'donedonedone');
});

test('small pieces become large writes, in order between the streams', async () => {
  const writes: string[] = [];
  const stream = (name: string) => ({
    write: (data: string | Uint8Array) => writes.push(`${name}:${data}`),
    flush: async () => {},
  });
  const writer = new LineWriter(stream('o'), stream('e'));
  for (const text of ['1', '2', '3']) writer.write('stdout', Buffer.from(text));
  writer.write('stderr', Buffer.from('4'));
  writer.write('stdout', Buffer.from('5'));
  assert.equal(writes, ['o:123', 'e:4']);
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(writes, ['o:123', 'e:4', 'o:5']);
  writer.write('stdout', Buffer.alloc(70_000, 'x'));
  assert.is(writes.length, 4);
  writer.flush();
  assert.is(writes.length, 4);
});

test.run();
