import { readMaybe } from '../host/process-text.ts';

/** Proportional set size of some processes in bytes: pages that they share count once. Where that is hidden, resident. */
export function memoryBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + memoryOf(pid), 0);
}

function memoryOf(pid: number): number {
  const pss = /^Pss:\s+(\d+) kB/m.exec(readMaybe(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
  const kilobytes = pss ?? /^VmRSS:\s+(\d+) kB/m.exec(readMaybe(`/proc/${pid}/status`) ?? '')?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** Bytes received and sent by a process' network namespace, loopback left out (proc_pid_net(5), dev). */
export function networkBytes(pid: number): [received: number, sent: number] {
  let [received, sent] = [0, 0];
  for (const line of (readMaybe(`/proc/${pid}/net/dev`) ?? '').split('\n').slice(2)) {
    const [name = '', rest = ''] = line.split(':');
    if (name.trim() === 'lo' || rest === '') continue;
    const fields = rest.trim().split(/\s+/).map(Number);
    received += fields[0] ?? 0;
    sent += fields[8] ?? 0;
  }
  return [received, sent];
}

/** Bytes that processes which live now have caused to be read from and written to disks (proc_pid_io(5)). */
export function blockBytes(pids: readonly number[]): [read: number, written: number] {
  let [read, written] = [0, 0];
  for (const pid of pids) {
    const text = readMaybe(`/proc/${pid}/io`) ?? '';
    read += Number(/^read_bytes: (\d+)/m.exec(text)?.[1] ?? 0);
    written += Number(/^write_bytes: (\d+)/m.exec(text)?.[1] ?? 0);
  }
  return [read, written];
}
