import { TsboxError } from '../errors.ts';
import { scan, UnknownFlag } from './argv.ts';
import type { Globals } from './context.ts';
import type { OptionMeta } from './options.ts';

/** The options before the verb. */
export const GLOBAL_OPTIONS: readonly OptionMeta[] = [
  { names: ['--root'], value: 'DIR', description: 'Where images, containers and volumes are kept' },
  { names: ['--runtime-dir'], value: 'DIR', description: 'Where sockets and pids are kept' },
  { names: ['--config'], value: 'FILE', description: 'The configuration file' },
  { names: ['-D', '--debug'], description: 'Show every step and the causes of errors' },
  { names: ['-v', '--version'], description: 'Print the version' },
];

/** docker's, which speak to a daemon. */
const DAEMON_FLAGS = [
  '-H',
  '--host',
  '-c',
  '--context',
  '--tls',
  '--tlscacert',
  '--tlscert',
  '--tlskey',
  '--tlsverify',
];

export interface GlobalArgs {
  readonly globals: Globals;
  readonly version: boolean;
  readonly help: boolean;
  /** The verb and its arguments. */
  readonly rest: readonly string[];
}

export function parseGlobals(argv: readonly string[]): GlobalArgs {
  const { options, operands, help } = scanGlobals(argv);
  const text = (name: string): string | undefined => {
    const value = options.findLast(option => option.name === name)?.value;
    return typeof value === 'string' ? value : undefined;
  };
  const on = (name: string): boolean => options.findLast(option => option.name === name)?.value === true;
  const [root, runtimeDir, config] = [text('--root'), text('--runtime-dir'), text('--config')];
  const globals: Globals = {
    ...(root === undefined ? {} : { root }),
    ...(runtimeDir === undefined ? {} : { runtimeDir }),
    ...(config === undefined ? {} : { config }),
    debug: on('--debug'),
  };
  return { globals, version: on('--version'), help, rest: operands };
}

function scanGlobals(argv: readonly string[]): ReturnType<typeof scan> {
  try {
    return scan(argv, { options: GLOBAL_OPTIONS, operandsBeforeRest: 1, usage: 'tsbox' });
  } catch (error) {
    if (!(error instanceof UnknownFlag) || !DAEMON_FLAGS.includes(error.flag)) throw error;
    const hint = 'tsbox has no daemon to connect to; leave the flag out';
    throw new TsboxError('USAGE', `unknown flag ${error.flag}`, { hint });
  }
}
