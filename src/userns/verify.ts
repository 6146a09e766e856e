import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { decompress } from '../layer/decompress.ts';
import { TarReader } from '../layer/tar-reader.ts';
import type { VerifyReply, VerifyTask } from '../layer/tasks.ts';
import { LayerVerifier } from '../layer/verify.ts';
import { enterRootFd } from '../sys/chroot.ts';

const DIRECTORY = 0;
const DATA = 4;
/** Enough to see what kind of damage it is. */
const SHOWN = 5;

/** The task `verify`: compares the directory with the archive that comes in. */
export async function verify({ limits }: VerifyTask): Promise<VerifyReply> {
  const source = createReadStream('', { fd: DATA, highWaterMark: 1 << 18 });
  enterRootFd(DIRECTORY);
  const hash = createHash('sha256');
  const verifier = new LayerVerifier('');
  const reader = new TarReader(verifier);
  for await (const piece of decompress(source as AsyncIterable<Buffer>, limits)) {
    hash.update(piece);
    reader.push(piece);
  }
  reader.finish();
  const { problems } = verifier;
  return {
    diffId: `sha256:${hash.digest('hex')}`,
    count: problems.length,
    problems: problems.slice(0, SHOWN).map(text => Buffer.from(text, 'latin1').toString('utf8')),
  };
}
