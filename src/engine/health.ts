import { readFileSync } from 'node:fs';
import { messageOf } from '../errors.ts';
import type { ContainerRecord, HealthCheck } from '../store/container-record.ts';
import { type HealthResult, readHealth, writeHealth } from '../store/containers-health.ts';
import type { Engine } from './context.ts';
import { exec } from './exec.ts';
import { find } from './find.ts';
import { healthCommand, healthDelay, nextHealth } from './health-rules.ts';
import { containerEvent } from './record-event.ts';

const TICKS = 100;
const OUTPUT_MAX = 4096;
/** Milliseconds. What the check left behind may keep its pipe open. */
const DRAIN = 1000;

/** One check; the milliseconds until the next, or undefined when the container does not run any more. */
export async function checkHealth(engine: Engine, id: string): Promise<number | undefined> {
  const { record, state } = await find(engine, id);
  const check = record.healthcheck;
  if (!check || state.status !== 'running') return undefined;
  if (state.paused) return check.interval;
  const result = await probe(engine, record, check);
  const age = ageOf(state.start);
  const before = readHealth(engine.paths, record.id, state.start);
  const after = nextHealth(check, before, result, age);
  // It may have ended under the check, which then says nothing about it.
  if ((await find(engine, id)).state.start !== state.start) return undefined;
  await writeHealth(engine.paths, record.id, after);
  if (after.status !== before.status) containerEvent(engine, record, `health_status: ${after.status}`);
  return healthDelay(check, after.status, age);
}

/** Milliseconds of the clock that does not jump. */
function ageOf(start: number): number {
  return (Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) - start / TICKS) * 1000;
}

async function probe(engine: Engine, record: ContainerRecord, check: HealthCheck): Promise<HealthResult> {
  const Start = new Date().toISOString();
  const { exitCode, output } = await runProbe(engine, record, check).catch((error: unknown) => ({
    exitCode: 126,
    output: messageOf(error),
  }));
  return { Start, End: new Date().toISOString(), ExitCode: exitCode, Output: output };
}

async function runProbe(engine: Engine, record: ContainerRecord, check: HealthCheck) {
  const attached = await exec(engine, record.id, { command: healthCommand(check) }, { stdio: 'pipe' });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    attached.kill('SIGKILL');
  }, check.timeout);
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer): void => {
    if (chunks.reduce((n, c) => n + c.length, 0) < OUTPUT_MAX) chunks.push(chunk);
  };
  attached.stdout?.on('data', keep);
  attached.stderr?.on('data', keep);
  const read = Promise.all([attached.stdout, attached.stderr].map(ended));
  const { exitCode } = await attached.wait();
  clearTimeout(timer);
  await Promise.race([read, new Promise(resolve => setTimeout(resolve, DRAIN).unref())]);
  const output = Buffer.concat(chunks).subarray(0, OUTPUT_MAX).toString('utf8');
  if (!late) return { exitCode, output };
  return {
    exitCode: -1,
    output: `Health check exceeded timeout (${check.timeout / 1000}s)${output && `: ${output}`}`,
  };
}

/** A process can be gone before what it wrote has been read. */
const ended = (stream: NodeJS.ReadableStream | undefined): Promise<void> =>
  new Promise(resolve => {
    if (stream) stream.once('end', resolve).once('close', resolve);
    else resolve();
  });
