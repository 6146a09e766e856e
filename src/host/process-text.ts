import { readFileSync } from 'node:fs';

/** A file of /proc, or undefined when it is gone or may not be read. */
export function readMaybe(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

let names: Map<number, string> | undefined;

/** The owner of a process, by its name in /etc/passwd or by number; undefined when the process is gone. */
export function userName(pid: number): string | undefined {
  // Not the owner of /proc/PID: that is root's for a process which is not dumpable.
  const uid = Number(/^Uid:\s+(\d+)/m.exec(readMaybe(`/proc/${pid}/status`) ?? '')?.[1]);
  if (Number.isNaN(uid)) return undefined;
  names ??= new Map(
    (readMaybe('/etc/passwd') ?? '').split('\n').map(line => {
      const [name = '', , id] = line.split(':');
      return [Number(id), name];
    }),
  );
  return names.get(uid) ?? String(uid);
}
