import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import type { ExecOptions, LogsOptions } from '../../../src/index.ts';
import { cli, ended } from '../../support/fake-cli.ts';
import { containers, NOW } from '../../support/fake-containers.ts';

const test = suite('verbs');
const notFound = (name: string) =>
  new TsboxError('NOT_FOUND', `no such container: ${name}`, { hint: "see 'tsbox ps -a'" });

test('logs', async () => {
  const seen: LogsOptions[] = [];
  const api = {
    async *logs(_: string, options: LogsOptions = {}) {
      seen.push(options);
      yield { time: 'T1', stream: 'stdout' as const, data: Buffer.from('one\n') };
      yield { time: 'T2', stream: 'stderr' as const, data: Buffer.from('bad\n') };
      yield { time: 'T3', stream: 'stdout' as const, data: Buffer.from([0xff, 0x00]) };
    },
  };
  const plain = await cli(['logs', 'web'], { api });
  assert.equal([plain.out, plain.err], ['one\n\ufffd\0', 'bad\n']);
  assert.equal((await cli(['logs', '-t', 'web'], { api })).out, 'T1 one\nT3 \ufffd\0\n');
  await cli(['logs', '-f', '--tail', '5', '--since', '10m', '--until', '2024-05-01T11:59:00Z', 'web'], {
    api,
    now: NOW,
  });
  await cli(['logs', '-n', 'all', 'web'], { api });
  await cli(['logs', '-n', '-1', 'web'], { api });
  assert.equal(seen.slice(2), [
    { follow: true, tail: 5, since: NOW - 600_000, until: NOW - 60_000 },
    { follow: false, tail: 'all' },
    { follow: false, tail: 'all' },
  ]);
  assert.is((await cli(['logs', '--since', 'x', 'web'], { api })).status, 125);
});

test('a reader that goes away ends logs -f', async () => {
  let ticks = 0;
  const api = {
    async *logs() {
      for (; ticks < 1000; ticks++) {
        await new Promise(resolve => setImmediate(resolve));
        yield { time: '', stream: 'stdout' as const, data: Buffer.from('x\n') };
      }
    },
  };
  assert.is((await cli(['logs', '-f', 'web'], { api, closeAfter: 2 })).status, 0);
  assert.ok(ticks < 20, String(ticks));
});

test('several names: the others are done, errors are said in order, the status is 1', async () => {
  const done: string[] = [];
  const api = {
    stop: async (name: string, { timeout }: { timeout?: number } = {}) => {
      // The later names are faster: order must not depend on it.
      await new Promise(resolve => setTimeout(resolve, name === 'a' ? 20 : 1));
      if (name.startsWith('no')) throw notFound(name);
      done.push(`${name} ${timeout}`);
    },
  };
  const { out, err, status } = await cli(['stop', '-t', '3', 'a', 'no1', 'b', 'no2'], { api });
  assert.equal([out, status], ['a\nb\n', 1]);
  assert.is(
    err,
    "tsbox: no such container: no1\n  hint: see 'tsbox ps -a'\ntsbox: no such container: no2\n  hint: see 'tsbox ps -a'\n",
  );
  assert.equal(done.sort(), ['a 3', 'b 3']);
});

test('many names are worked on at once, but not all', async () => {
  let now = 0;
  let most = 0;
  const api = {
    remove: async () => {
      most = Math.max(most, ++now);
      await new Promise(resolve => setTimeout(resolve, 2));
      now--;
    },
  };
  const names = Array.from({ length: 50 }, (_, i) => `c${i}`);
  const { out, status } = await cli(['rm', ...names], { api });
  assert.equal([out, status], [`${names.join('\n')}\n`, 0]);
  assert.ok(most > 8 && most < 50, String(most));
});

test('rm -f is content with what is not there', async () => {
  const seen: unknown[] = [];
  const api = {
    remove: async (name: string, options?: object) => {
      seen.push(options);
      throw notFound(name);
    },
  };
  const { status, out, err } = await cli(['rm', '-fv', 'x'], { api });
  assert.equal([status, out, err.split('\n')[0]], [0, '', 'tsbox: no such container: x']);
  assert.is((await cli(['rm', 'x'], { api })).status, 1);
  assert.equal(seen[0], { force: true, volumes: true });
});

test('wait prints statuses in order', async () => {
  const api = { wait: async (name: string) => (name === 'a' ? 3 : 0) };
  assert.is((await cli(['wait', 'a', 'b'], { api })).out, '3\n0\n');
});

test('kill', async () => {
  const seen: unknown[] = [];
  const api = { kill: async (...args: unknown[]) => void seen.push(args) };
  await cli(['kill', 'a'], { api });
  await cli(['kill', '-s', 'HUP', 'b'], { api });
  assert.equal(seen, [
    ['a', undefined],
    ['b', 'HUP'],
  ]);
});

test('start, and start attached', async () => {
  const api = { start: async () => {}, startAttached: async () => ended(7) };
  assert.equal(await statusAndOut(['start', 'a', 'b'], api), [0, 'a\nb\n']);
  assert.equal(await statusAndOut(['start', '-a', 'a'], api), [7, '']);
  assert.equal(await statusAndOut(['start', '-ai', 'a', 'b'], api), [125, '']);
});

const statusAndOut = async (argv: string[], api: object) => {
  const { status, out } = await cli(argv, { api });
  return [status, out];
};

test('run, exec and attach return the command’s status, 0 when detached', async () => {
  for (const verb of [
    ['run', 'i'],
    ['exec', 'c', 'x'],
    ['attach', 'c'],
  ]) {
    for (const [code, detached, expected] of [
      [0, false, 0],
      [42, false, 42],
      [137, false, 137],
      [1, true, 0],
    ] as const) {
      const method = verb[0] ?? '';
      const { status } = await cli(verb, { api: { [method]: async () => ended(code, detached) } });
      assert.is(status, expected, `${method} ${code}`);
    }
  }
});

test('exec', async () => {
  let seen: [string, ExecOptions, object?] | undefined;
  const api = {
    exec: async (...args: [string, ExecOptions, object?]) => {
      seen = args;
      return ended(0);
    },
  };
  await cli(['exec', '-u', 'me', '-w/x', '-eA=1', '--privileged', 'web', 'ls', '-l', '--', '-u'], {
    api,
    env: { H: '1' },
  });
  assert.equal(seen?.slice(0, 2), [
    'web',
    {
      command: ['ls', '-l', '--', '-u'],
      env: ['A=1'],
      callerEnv: { H: '1' },
      workdir: '/x',
      user: 'me',
      tty: false,
      interactive: false,
      privileged: true,
    },
  ]);
  assert.is((await cli(['exec', '-it', 'web', 'sh'], { api })).status, 125);
  assert.is((await cli(['exec', '-d', 'web', 'x'], { api: { execDetached: async () => {} } })).status, 0);
});

test('exit statuses of a command that cannot be started', async () => {
  const api = (exitCode: number) => ({
    run: async () => {
      throw new TsboxError('COMMAND_NOT_FOUND', 'nope: not found', { exitCode });
    },
  });
  assert.is((await cli(['run', 'i', 'nope'], { api: api(127) })).status, 127);
  assert.is((await cli(['run', 'i', 'nope'], { api: api(126) })).status, 126);
});

test('run --explain', async () => {
  const { out } = await cli(['run', '--explain', 'i'], { api: { explain: async () => 'a plan' } });
  assert.is(out, 'a plan\n');
});

test('inspect looks for containers, images and volumes', async () => {
  const api = {
    inspectContainer: async (name: string) => {
      if (name !== 'c') throw notFound(name);
      return { Id: 'c', State: { Status: 'running' }, Absent: undefined };
    },
    inspectImage: async (name: string) => {
      if (name !== 'i') throw new TsboxError('BAD_REFERENCE', 'bad name');
      return { Id: 'sha256:i' };
    },
    volumes: async () => [{ name: 'v', mountpoint: '/m', created: '', labels: {}, anonymous: false }],
  };
  const all = await cli(['inspect', 'c', 'none', 'i', 'v'], { api });
  assert.equal(
    JSON.parse(all.out).map((each: { Id?: string; Name?: string }) => each.Id ?? each.Name),
    ['c', 'sha256:i', 'v'],
  );
  assert.equal(
    [all.status, all.err.split('\n')[0]],
    [1, "tsbox: no container, image or volume is called 'none'"],
  );
  assert.is((await cli(['inspect', '-f', '{{.State.Status}}', 'c'], { api })).out, 'running\n');
  assert.is(
    (await cli(['inspect', '-f', 'json', 'c'], { api })).out,
    '{"Id":"c","State":{"Status":"running"}}\n',
  );
  assert.match((await cli(['inspect', '--type', 'image', 'c'], { api })).err, /bad name/);
  assert.is((await cli(['inspect', 'none'], { api })).out, '[]\n');
  assert.match(
    (await cli(['inspect', '--type', 'network', 'c'], { api })).err,
    /invalid value 'network' for --type/,
  );
});

test('an error that is not about the name is not hidden by the next lookup', async () => {
  const api = {
    inspectContainer: async () => {
      throw new TsboxError('STORE_CORRUPT', 'broken');
    },
  };
  assert.match((await cli(['inspect', 'x'], { api })).err, /broken/);
});

test('pull', async () => {
  const result = {
    id: 'i',
    reference: 'docker.io/library/alpine:latest',
    digest: 'sha256:1',
    downloaded: true,
  };
  const api = { pull: async () => result };
  assert.is(
    (await cli(['pull', 'alpine'], { api })).out,
    'Digest: sha256:1\nStatus: Downloaded newer image for alpine:latest\ndocker.io/library/alpine:latest\n',
  );
  const again = { pull: async () => ({ ...result, downloaded: false }) };

  assert.match((await cli(['pull', 'alpine'], { api: again })).out, /Status: Image is up to date for alpine/);
  assert.is((await cli(['pull', '-q', 'alpine'], { api })).out, 'docker.io/library/alpine:latest\n');
});

test('load and import read files or stdin, never a terminal', async () => {
  const read = async (input: NodeJS.ReadableStream | string) => {
    if (typeof input === 'string') return input;
    let text = '';
    for await (const chunk of input) text += chunk;
    return text;
  };
  const api = {
    load: async (input: NodeJS.ReadableStream | string) => [`got:${await read(input)}`, 'sha256:1'],
    import: async (input: NodeJS.ReadableStream, name?: string, options?: object) =>
      `${await read(input)} ${name} ${JSON.stringify(options)}`,
  };
  const load = await cli(['load'], { api, stdin: 'tar' });
  assert.is(load.out, 'Loaded image: got:tar\nLoaded image ID: sha256:1\n', load.err);
  const terminal = await cli(['load'], { api, terminals: [0] });
  assert.equal(
    [terminal.status, terminal.err.split('\n')[0]],
    [125, 'tsbox: stdin is a terminal, not an archive'],
  );
  assert.match(
    (await cli(['load', '-i', '/nonexistent'], { api })).err,
    /cannot read \/nonexistent: there is no such file/,
  );
  assert.is(
    (await cli(['import', '-m', 'hi', '-', 'me:1'], { api, stdin: 'x' })).out,
    'x me:1 {"message":"hi"}\n',
  );
  assert.match(
    (await cli(['import', 'https://x/y.tar'], { api })).err,
    /a URL cannot be imported\n {2}hint: curl/,
  );
});

test('rmi and tag', async () => {
  const api = {
    removeImage: async () => ({ untagged: ['a:1'], deleted: ['sha256:x'] }),
    tag: async () => {},
  };
  assert.is((await cli(['rmi', 'a:1'], { api })).out, 'Untagged: a:1\nDeleted: sha256:x\n');
  assert.equal(await statusAndOut(['tag', 'a', 'b'], api), [0, '']);
});

test('volumes', async () => {
  const volume = (name: string, labels = {}) => ({
    name,
    mountpoint: `/v/${name}`,
    created: 'T',
    labels,
    anonymous: false,
  });
  const removed: unknown[] = [];
  const api = {
    volumes: async () => [volume('data', { a: '1' }), volume('other')],
    createVolume: async (name?: string, labels?: object) => volume(name ?? 'made', labels ?? {}),
    removeVolume: async (...args: unknown[]) => void removed.push(args),
  };
  assert.is(
    (await cli(['volume', 'ls'], { api })).out,
    'DRIVER    VOLUME NAME\nlocal     data\nlocal     other\n',
  );
  assert.is((await cli(['volume', 'ls', '-q', '-f', 'label=a=1'], { api })).out, 'data\n');
  assert.match((await cli(['volume', 'ls', '-f', 'x=1'], { api })).err, /invalid filter 'x'/);
  assert.is((await cli(['volume', 'create', '--label', 'k=v', 'n'], { api })).out, 'n\n');
  assert.is((await cli(['volume', 'create'], { api })).out, 'made\n');
  assert.match((await cli(['volume', 'create', '-d', 'nfs'], { api })).err, /no volume driver 'nfs'/);
  assert.is((await cli(['volume', 'inspect', '-f', '{{.Mountpoint}}', 'data'], { api })).out, '/v/data\n');
  assert.match((await cli(['volume', 'inspect', 'x'], { api })).err, /no such volume: x/);
  await cli(['volume', 'rm', '-f', 'data'], { api });
  assert.equal(removed, [['data', { force: true }]]);
});

test('doctor', async () => {
  const check = (id: string, status: 'ok' | 'warn' | 'fail' | 'skip', hint?: string) => ({
    id,
    title: `step ${id}`,
    status,
    code: status === 'ok' || status === 'skip' ? id : `${id}-bad`,
    detail: `about ${id}`,
    ...(hint === undefined ? {} : { hint }),
  });
  const run = (...checks: object[]) => cli(['doctor'], { api: { doctor: async () => checks as never } });
  const good = await run(check('a', 'ok', 'unused'), check('b', 'skip'));
  assert.equal([good.status, good.out], [0, 'ok    step a: about a\nskip  step b: about b\n\nall is well\n']);
  const remedy = { meaning: 'no network', command: 'do it', admin: ['one', "two 'a\nb'"] };
  const bad = await run({ ...check('a', 'warn'), ...remedy }, check('b', 'fail', 'that'));
  assert.is(bad.status, 1);
  assert.equal(bad.out.split('\n'), [
    'warn  step a: about a [a-bad]',
    '      no network',
    '      -> you: do it',
    '      -> administrator:',
    '           one',
    "           two 'a",
    "           b'",
    'fail  step b: about b [b-bad]',
    '      -> hint: that',
    '',
    '1 of 2 steps fail: containers cannot run until this is changed',
    'for the administrator: tsbox doctor --admin-request',
    '',
  ]);
  const json = await cli(['doctor', '--json'], { api: { doctor: async () => [check('a', 'ok')] } });
  assert.is(JSON.parse(json.out)[0].id, 'a');
  const asked: unknown[] = [];
  const some = await cli(['doctor', 'a', 'tun-closed'], {
    api: {
      doctor: async options => {
        asked.push(options?.only);
        return [check('a', 'ok')];
      },
    },
  });
  assert.equal(asked, [['a', 'tun-closed']]);
  assert.is(some.out, 'ok    step a: about a\n\ntun-closed is not found here\n');
  const items = [{ codes: ['tun-closed'], commands: ['chmod'] }];
  const api = { adminRequest: async () => ({ text: '# please\n', items }) };
  assert.is((await cli(['doctor', '--admin-request'], { api })).out, '# please\n');
  assert.equal(JSON.parse((await cli(['doctor', '--admin-request', '--json'], { api })).out), items);
});

test('info and version', async () => {
  const cgroup = async () => ({ driver: 'none', version: '1', path: '', controllers: [] }) as const;
  const api = { containers, images: async () => [], root: '/store', cgroup };
  assert.match(
    (await cli(['info'], { api })).out,
    /Containers: +2\n Running: +1\n Stopped: +1\nImages: +0\n[\s\S]*Root Dir: +\/store\n/,
  );
  assert.is(
    (await cli(['info', '-f', '{{.ContainersRunning}} {{.DockerRootDir}}'], { api })).out,
    '1 /store\n',
  );
  assert.match((await cli(['version'])).out, /^ Version: +\d+\.\d+\.\d+\n/);
  assert.match((await cli(['version', '--format', '{{.Client.Os}}'])).out, /^linux\n$/);
});

test.run();
