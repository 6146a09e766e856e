import { closeSync, constants, openSync } from 'node:fs';
import { messageOf, TsboxError } from '../errors.ts';
import { builtin } from '../util/builtin.ts';
import type { PortMapping } from './driver.ts';

/**
 * slirp4netns' API socket: one JSON object per connection, answered by `{"return":…}` or `{"error":{"desc":…}}`
 * (slirp4netns(1), "API SOCKET"). The socket is reached through a descriptor of its directory, whose path may be longer
 * than the 108 bytes of sun_path.
 */

/** More is no answer of slirp4netns. */
const MAX_ANSWER = 64 * 1024;
const TIMEOUT_MS = 10_000;

/** Forwards a port. Resolves with undefined, or slirp4netns' reason for a refusal; rejects with PORT when it does not answer. */
export async function addForward(
  directory: string,
  socket: string,
  port: PortMapping,
): Promise<string | undefined> {
  const answer = await request(directory, socket, {
    execute: 'add_hostfwd',
    arguments: {
      proto: port.protocol,
      host_addr: port.hostIp,
      host_port: port.hostPort,
      guest_port: port.containerPort,
    },
  });
  return errorOf(answer);
}

/** Ends the forwarding of a port; false when slirp4netns does not have it. Rejects with PORT when it does not answer. */
export async function removeForward(directory: string, socket: string, port: PortMapping): Promise<boolean> {
  const entries = await listForwards(directory, socket);
  const found = entries.find(
    e => e.proto === port.protocol && e.host_addr === port.hostIp && e.host_port === port.hostPort,
  );
  if (!found) return false;
  const answer = await request(directory, socket, {
    execute: 'remove_hostfwd',
    arguments: { id: found.id },
  });
  return errorOf(answer) === undefined;
}

interface Forward {
  readonly id: number;
  readonly proto: string;
  readonly host_addr: string;
  readonly host_port: number;
}

/** The list stands in `return` as its manual says, or, up to version 1.2 at least, at the top. */
async function listForwards(directory: string, socket: string): Promise<readonly Forward[]> {
  const answer = await request(directory, socket, { execute: 'list_hostfwd' });
  const said = JSON.parse(answer) as { entries?: Forward[]; return?: { entries?: Forward[] } };
  return said.return?.entries ?? said.entries ?? [];
}

/** Sends one request and returns the text of the answer. */
async function request(directory: string, socket: string, body: object): Promise<string> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await exchange(`/proc/self/fd/${fd}/${socket}`, JSON.stringify(body));
  } catch (error) {
    throw new TsboxError(
      'PORT',
      `slirp4netns does not answer on ${directory}/${socket}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    closeSync(fd);
  }
}

function exchange(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = builtin('node:net').connect(path, () => client.write(text));
    let answer = '';
    client.setEncoding('utf8');
    client.setTimeout(TIMEOUT_MS, () => client.destroy(new Error('no answer within 10 s')));
    client.on('data', (chunk: string) => {
      answer += chunk;
      if (answer.length > MAX_ANSWER) client.destroy(new Error('the answer is too long'));
    });
    client.on('error', reject);
    client.on('close', failed => {
      if (!failed) resolve(answer);
    });
  });
}

function errorOf(answer: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(answer);
    if (typeof parsed !== 'object' || parsed === null) return `unexpected answer ${answer}`;
    if ('return' in parsed) return undefined;
    const { error } = parsed as { error?: { desc?: unknown } };
    return String(error?.desc ?? answer);
  } catch {
    return answer === ''
      ? 'slirp4netns hung up'
      : `unexpected answer ${JSON.stringify(answer.slice(0, 200))}`;
  }
}
