import { lstatSync, readdirSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { type ByteString, toPath } from './bytes.ts';

/** The status of the path itself, or undefined when nothing is there. */
export function statusOf(path: ByteString): Stats | undefined {
  return lstatSync(toPath(path), { throwIfNoEntry: false });
}

/** Removes what is at the path, a whole tree too, following no link. Nothing there: nothing to do. Names are bytes, which rmSync garbles. */
export function removeAll(path: ByteString): void {
  const status = statusOf(path);
  if (!status) return;
  if (!status.isDirectory()) {
    unlinkSync(toPath(path));
    return;
  }
  for (const name of readdirSync(toPath(path), { encoding: 'latin1' })) removeAll(`${path}/${name}`);
  rmdirSync(toPath(path));
}
