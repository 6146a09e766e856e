import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What should not be in a store without containers. */
export function leftovers(store: string): string[] {
  const places = ['containers', 'containers/.names', 'containers/.fleeting', 'tmp', 'volumes'];
  return places.flatMap(place =>
    readdirSync(join(store, place))
      .filter(name => name !== '.names' && name !== '.fleeting')
      .map(name => `${place}/${name}`),
  );
}

/** Processes that tsbox started for this home: they work in its store or have its environment. */
export function processesOf(home: string): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(pid => belongs(pid, home))
    .map(pid => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '));
}

function belongs(pid: string, home: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/cwd`).startsWith(join(home, '.local'))) return true;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    return (
      command.startsWith('tsbox:') && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`HOME=${home}`)
    );
  } catch {
    return false; // somebody else's, or gone
  }
}
