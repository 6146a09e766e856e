import { realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, TsboxError } from '../errors.ts';
import { findProgram } from '../host/binaries.ts';
import { type ProgramResult, runProgram } from '../host/spawn.ts';

/** `https://host/repository.git#ref:subdir`, taken apart. */
export interface GitSource {
  readonly url: string;
  /** Branch, tag or commit; absent: what the server calls HEAD. */
  readonly ref?: string;
  readonly subdirectory?: string;
}

const SSH = /^(?:ssh:\/\/|git:\/\/|[\w.-]+@[\w.-]+:)/;
const HTTP = /^(?:https?|file):\/\/[^#?]+\.git(?=$|#)/;
const HOSTS = /^(?:github\.com|gitlab\.com)\/[^#]+/;

/** Undefined for what is no git repository by docker's rules: a URL that ends in `.git`, ssh, git, `user@host:path`, `github.com/…`. */
export function gitSource(text: string): GitSource | undefined {
  if (!SSH.test(text) && !HTTP.test(text) && !HOSTS.test(text)) return undefined;
  const [url = '', ...fragment] = text.split('#');
  const [ref = '', ...subdirectory] = fragment.join('#').split(':');
  const directory = subdirectory.join(':');
  return {
    url: HOSTS.test(text) ? `https://${url}` : url,
    ...(ref !== '' && { ref }),
    ...(directory !== '' && { subdirectory: directory }),
  };
}

export interface CloneOptions {
  /** An empty directory. */
  readonly into: string;
  readonly keepGitDir?: boolean;
}

/**
 * Fetches one commit of a repository; returns the directory that `subdirectory` names. No hook of it runs, nobody is asked for a password,
 * and no transport that starts programs is used. Throws HOST without git, NOT_FOUND, IO.
 */
export async function cloneRepository(source: GitSource, options: CloneOptions): Promise<string> {
  const { url, ref = 'HEAD' } = source;
  if (url.startsWith('-') || ref.startsWith('-'))
    throw new TsboxError('USAGE', `${JSON.stringify(url)} and ${JSON.stringify(ref)} name no git repository`);
  const git = await gitProgram(options);
  await succeed(git, ['init', '--quiet', '.'], source);
  await succeed(git, ['remote', 'add', 'origin', url], source);
  const shallow = await git(['fetch', '--quiet', '--depth=1', '--no-tags', 'origin', ref]);
  // Not every server gives out a commit by its number.
  if (shallow.status === 0) await succeed(git, ['checkout', '--quiet', '--force', 'FETCH_HEAD'], source);
  else {
    await succeed(git, ['fetch', '--quiet', '--tags', 'origin'], source);
    await succeed(git, ['checkout', '--quiet', '--force', '--detach', ref], source);
  }
  if (statSync(join(options.into, '.gitmodules'), { throwIfNoEntry: false })?.isFile())
    await succeed(
      await gitProgram(options, REMOTE),
      ['submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1'],
      source,
    );
  if (!options.keepGitDir) rmSync(join(options.into, '.git'), { recursive: true, force: true });
  return beneath(options.into, source.subdirectory, url);
}

/** A repository chooses where its submodules are: never a directory of this machine (CVE-2022-39253), never a program (ext). */
const REMOTE = 'http:https:git:ssh';
/** The caller may name one, or have insteadOf in a configuration. */
const ALSO_LOCAL = `${REMOTE}:file`;

type Git = (args: readonly string[]) => Promise<ProgramResult>;

async function gitProgram({ into }: CloneOptions, protocols = ALSO_LOCAL): Promise<Git> {
  const [program, env] = await Promise.all([findProgram('git'), findProgram('env')]);
  if (program === undefined || env === undefined) {
    throw new TsboxError('HOST', 'a git repository as context needs the program git', {
      hint: 'install the package git',
    });
  }
  const variables = ['GIT_TERMINAL_PROMPT=0', `GIT_ALLOW_PROTOCOL=${protocols}`];
  const safe = ['-c', 'core.hooksPath=/dev/null', '-c', 'advice.detachedHead=false'];
  return args => runProgram(env, [...variables, program, ...safe, ...args], { cwd: into });
}

async function succeed(git: Git, args: readonly string[], { url, ref }: GitSource): Promise<void> {
  const { status, stderr } = await git(args);
  if (status === 0) return;
  const what =
    args[0] === 'checkout' || args[0] === 'fetch' ? `${url}${ref === undefined ? '' : `#${ref}`}` : url;
  throw new TsboxError(
    'NOT_FOUND',
    `git cannot ${args[0]} ${what}: ${stderr.trim().split('\n').at(-1) ?? ''}`,
    {
      exitCode: 1,
    },
  );
}

/** The subdirectory, which no link of the repository leads out of it. */
function beneath(root: string, subdirectory: string | undefined, url: string): string {
  if (subdirectory === undefined) return root;
  try {
    const [top, path] = [realpathSync(root), realpathSync(join(root, subdirectory))];
    if ((path === top || path.startsWith(`${top}/`)) && statSync(path).isDirectory()) return path;
  } catch (cause) {
    throw new TsboxError('NOT_FOUND', `${url} has no directory ${subdirectory}: ${messageOf(cause)}`, {
      cause,
      exitCode: 1,
    });
  }
  throw new TsboxError('NOT_FOUND', `${url} has no directory ${subdirectory}`, { exitCode: 1 });
}
