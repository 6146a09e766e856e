import type { RunOptions } from './file.ts';
import { runFiles } from './file.ts';
import { type Account, KINDS, type TestFile } from './kinds.ts';
import type { FileResult } from './protocol.ts';
import type { TestUser } from './users.ts';

/** Files that share a process, and who runs them. */
interface Job {
  readonly user: TestUser;
  readonly files: readonly TestFile[];
}

/**
 * One lane per user, lanes side by side: within a lane one file after the other, so that what is left behind belongs to
 * the file that has just ended.
 */
export async function runLanes(
  files: readonly TestFile[],
  users: readonly TestUser[],
  options: RunOptions,
  onResult: (result: FileResult) => void,
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const lane = async (user: TestUser): Promise<void> => {
    for (const job of jobsOf(files, users).filter(j => j.user === user)) {
      const done = await runFiles(job.files, job.user, options);
      results.push(...done);
      for (const result of done) onResult(result);
    }
  };
  await Promise.all(users.map(lane));
  return results;
}

function jobsOf(files: readonly TestFile[], users: readonly TestUser[]): Job[] {
  const jobs: Job[] = [];
  for (const file of files) {
    for (const user of usersFor(file, users)) {
      const shared = jobs.find(j => j.user === user && j.files[0]?.kind === file.kind);
      if (KINDS[file.kind].shared && shared) (shared.files as TestFile[]).push(file);
      else jobs.push({ user, files: [file] });
    }
  }
  return jobs;
}

/** A normal user who started the runner stands for both kinds; `root` files are root's alone. */
export function usersFor(file: TestFile, users: readonly TestUser[]): TestUser[] {
  const made = users.filter(u => u.ours);
  const self = users.find(u => !u.ours);
  const pick = (account: Account): TestUser | undefined => {
    if (account === 'self') return self;
    if (account === 'root') return self?.account === 'root' ? self : undefined;
    return made.length ? made.find(u => u.account === account) : self;
  };
  return [...new Set(file.accounts.map(pick).filter(u => u !== undefined))];
}
