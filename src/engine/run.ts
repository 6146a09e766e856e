import { messageOf } from '../errors.ts';
import { sessionsEnd } from '../host/linger.ts';
import { isUnified } from '../host/probe.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerState } from '../store/containers.ts';
import { unmarkFleeting } from '../store/containers-fleeting.ts';
import { withCleanup } from '../util/cleanup.ts';
import { attachedTo } from './attached.ts';
import type { Engine } from './context.ts';
import { createRecord } from './create.ts';
import { launchContainer } from './launch-container.ts';
import { withProxy } from './signal-proxy.ts';
import type { Attached, AttachOptions, CapturedResult, CreateOptions } from './types.ts';

/** `tsbox run`: create, start, stay connected. When the start fails nothing of the container is left. */
export function run(engine: Engine, options: CreateOptions, attach: AttachOptions = {}): Promise<Attached> {
  return withCleanup(async cleanup => {
    const record = await createRecord(engine, options, cleanup, { transient: true });
    const { launched, proxy } = await withProxy(attach, begin =>
      launchContainer(engine, record, attach, { begin }),
    );
    await keep(engine, record);
    const onEnd = (exited: boolean) => removeIfAsked(engine, record, exited);
    return attachedTo(engine, record.id, launched, attach, onEnd, proxy);
  });
}

/** `tsbox run -d`. */
export function runDetached(engine: Engine, options: CreateOptions): Promise<string> {
  return withCleanup(async cleanup => {
    const record = await createRecord(engine, options, cleanup, { transient: true });
    await launchContainer(engine, record, undefined);
    await keep(engine, record);
    if (sessionsEnd()) (await import('./linger-warning.ts')).warnOfLogout(engine);
    return record.id;
  });
}

/** It has been started: unless it is to go with its end, it stays, and no sweep need look at it. */
async function keep({ paths }: Engine, { id, autoRemove }: ContainerRecord): Promise<void> {
  if (!autoRemove) await unmarkFleeting(paths, id);
}

/** Runs to the end and collects both streams. */
export async function capture(
  engine: Engine,
  options: CreateOptions & { input?: string | Uint8Array },
): Promise<CapturedResult> {
  const { input, ...create } = options;
  const attached = await run(engine, { ...create, interactive: input !== undefined }, { stdio: 'pipe' });
  return captured(attached, input);
}

/** What a command that is attached with pipes writes until it ends. */
export async function captured(
  attached: Attached,
  input: string | Uint8Array | undefined,
): Promise<CapturedResult> {
  attached.stdin?.on('error', () => {}); // the command may end without reading
  if (input !== undefined) attached.stdin?.end(input);
  const [stdout, stderr, result] = await Promise.all([
    collect(attached.stdout),
    collect(attached.stderr),
    attached.wait(),
  ]);
  return { exitCode: result.exitCode, stdout, stderr };
}

/** A word on lack of memory. --rm while we are here; when we are not, or when only our front was killed, the supervisor does it at the end. */
export async function removeIfAsked(engine: Engine, record: ContainerRecord, exited: boolean): Promise<void> {
  if (exited && (record.limits || isUnified())) (await import('./group-oom.ts')).tellOom(engine, record);
  if (!record.autoRemove) return;
  if (!exited && (await containerState(engine.paths, record)).status === 'running') return;
  await (await import('./auto-remove.ts')).autoRemove(engine, record.id, exited).catch((error: unknown) => {
    // The status that counts is the command's. What stays has its mark: the next sweep takes it.
    engine.reporter.warn(`${record.name} has ended and could not be removed: ${messageOf(error)}`);
  });
}

async function collect(stream: NodeJS.ReadableStream | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
