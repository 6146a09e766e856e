import type { ChosenSource } from '../layer/build-select.ts';
import { unpackedTo } from '../layer/build-unpack.ts';
import { newSha256 } from '../util/hash.ts';
import { foundBefore, type Pick } from './build-pick.ts';
import { readAll, readSyncAll } from './build-read.ts';
import type { BuildSession } from './build-session.ts';
import { inflateForeign } from './foreign-compression.ts';

/** The content of an archive. */
export function pickArchive(
  session: BuildSession,
  open: () => number,
  source: ChosenSource | undefined,
): Pick {
  const hash = newSha256();
  for (const piece of readSyncAll(open())) hash.update(piece);
  return {
    ...foundBefore({
      digest: `archive ${hash.digest('hex')}`,
      sources: [{ name: source?.name ?? '', isDirectory: true }],
    }),
    pieces: async go => unpackedTo(readAll(open()), go, optionsOf(session)),
    close: async () => {},
  };
}

export const optionsOf = ({ engine }: BuildSession) => ({
  maxRatio: engine.config.layer.maxRatio,
  foreign: inflateForeign,
});
