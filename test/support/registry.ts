import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { collect, statusOf } from './cli.ts';
import { tempHome } from './temp-home.ts';
import { within } from './within.ts';

/** The CNCF Distribution registry on a free port of loopback, with a storage of its own. */
export interface Registry {
  /** `127.0.0.1:PORT`: the first part of an image's name. */
  readonly host: string;
  readonly url: string;
  /** Where it keeps blobs: tests damage them. */
  readonly storage: string;
  stop(): Promise<void>;
}

export async function startRegistry(): Promise<Registry> {
  const dir = mkdtempSync(join(tempHome().dir, 'registry-'));
  const storage = join(dir, 'storage');
  mkdirSync(storage);
  const port = await freePort();
  const config = join(dir, 'config.yml');
  writeFileSync(config, configFor(port, storage));
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = collect(child.stderr);
  const status = statusOf(child);
  await Promise.race([
    waitForPort(port, child),
    status.then(code => Promise.reject(new Error(`docker-registry ended with ${code}: ${said()}`))),
  ]);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await status;
    rmSync(dir, { recursive: true, force: true });
  };
  return { host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, storage, stop };
}

const configFor = (port: number, storage: string): string => `version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: ${storage}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
`;

/** A port of loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function waitForPort(port: number, child: ChildProcess): Promise<void> {
  const tryOnce = (): Promise<boolean> =>
    new Promise(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
      socket.once('error', () => setTimeout(resolve, 20, false));
    });
  await within(
    10_000,
    async () => {
      while (child.exitCode === null && !(await tryOnce()));
    },
    'the start of docker-registry',
  );
}
