// A service that executes code: POST /run with a program as the body answers { exitCode, stdout, stderr, … }.
//
//   node examples/code-service.mjs python:3-alpine python3 8080 [USER]
//
// Each request gets a sandbox of its own, forked from one that is warm: no network, five seconds, 1 MiB of output, and nothing
// that one program does is there for the next. Listens on loopback alone.
import { createServer } from 'node:http';
import { Tsbox } from 'tsbox';

const [image = 'python:3-alpine', interpreter = 'python3', port = '8080', user = '1000:1000'] =
  process.argv.slice(2);
const LIMITS = { timeoutMs: 5000, maxOutputBytes: 2 ** 20, memoryBytes: 2 ** 28, killBackground: true };
const LARGEST = 2 ** 20;

const tsbox = await Tsbox.open();
const warm = await tsbox.sandbox({ image, user });
const snapshot = await warm.snapshot();

async function body(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > LARGEST) throw Object.assign(new Error('the program is too large'), { status: 413 });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function perform(program, signal) {
  const [box] = await snapshot.start();
  try {
    const done = await box.exec([interpreter, '/dev/stdin'], { ...LIMITS, stdin: program, signal });
    const { exitCode, timedOut, truncated, durationMs } = done;
    return {
      exitCode,
      timedOut,
      truncated,
      durationMs,
      stdout: String(done.stdout),
      stderr: String(done.stderr),
    };
  } finally {
    await box.close();
  }
}

const server = createServer(async (request, response) => {
  const left = new AbortController();
  response.once('close', () => left.abort());
  const answer = (status, value) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
  if (request.method !== 'POST' || request.url !== '/run') return answer(404, { error: 'POST /run' });
  try {
    answer(200, await perform(await body(request), left.signal));
  } catch (error) {
    answer(error.status ?? 500, { error: error.message, code: error.code });
  }
});

server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/run`));
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections();
    await snapshot.remove();
    await warm.close();
  });
