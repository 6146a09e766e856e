import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../support/cli.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { tempHome } from '../support/temp-home.ts';

/** In a registry in this process. */
const test = suite('search');
let registry: FakeRegistry;
const box = openBox(tempHome('search'));

const RESULTS = [
  {
    name: 'nginx',
    description: 'Official build of Nginx. And more words than fit into the column',
    star_count: 20000,
    is_official: true,
    is_automated: false,
  },
  {
    name: 'me/nginx',
    description: 'mine\u001b[31m\n',
    star_count: 3,
    is_official: false,
    is_automated: true,
  },
  { name: 5 },
  'nonsense',
];

test.before(async () => {
  registry = await startFakeRegistry();
  registry.mischief = ({ path }) => {
    const headers = { 'content-type': 'application/json' };
    const json = (value: unknown, more = {}) => ({
      status: 200,
      headers: { ...headers, ...more },
      body: JSON.stringify(value),
    });
    if (path === '/v2/_catalog?n=1000')
      return json({ repositories: ['a/one', 'b/two'] }, { link: '</v2/_catalog?last=b&n=1000>; rel="next"' });
    if (path.startsWith('/v2/_catalog?last=b')) return json({ repositories: ['a/three', 'c'] });
    if (path.startsWith('/v1/search')) return json({ num_results: 2, results: RESULTS });
    return undefined;
  };
});
test.after(() => registry.stop());

test('the list of repositories, over its pages', async () => {
  const found = await box.ok('search', '--format', '{{.Name}}', `${registry.host}/`);
  assert.is(found, ['a/one', 'b/two', 'a/three', 'c'].map(name => `${registry.host}/${name}`).join('\n'));
  const some = await box.ok('search', '--format', '{{.Name}}', '--limit', '1', `${registry.host}/a/`);
  assert.is(some, `${registry.host}/a/one`);
  assert.is(await box.ok('search', '--format', '{{.Name}}', `${registry.host}/nobody`), '');
});

test('an index where there is no list', async () => {
  const before = registry.mischief;
  registry.mischief = (request, nth) =>
    request.path.includes('_catalog') ? { status: 404 } : before(request, nth);
  try {
    const table = await box.ok('search', `${registry.host}/nginx`);
    const [head = '', first = '', second = ''] = table.split('\n');
    assert.match(head, /^NAME +DESCRIPTION +STARS +OFFICIAL$/);
    assert.match(first, /\/nginx +Official build of Nginx\. And more words than… +20000 +\[OK\]$/);
    assert.match(second, /\/me\/nginx +mine\\x1b\[31m +3 +$/);
    assert.is(registry.seen.at(-1)?.path, '/v1/search?q=nginx&n=25');
    const rows = (...args: string[]) =>
      box.ok('search', '--format', '{{.Name}} {{.StarCount}}', ...args, `${registry.host}/nginx`);
    assert.is((await rows('--filter', 'stars=100')).split('\n').length, 1);
    assert.match(await rows('-f', 'is-official=false'), /^\S+me\/nginx 3$/);
    assert.match(await rows('-f', 'is-automated=true'), /^\S+me\/nginx 3$/);
    const json = JSON.parse(
      (await box.ok('search', '--format', 'json', '--no-trunc', `${registry.host}/nginx`)).split('\n')[0] ??
        '',
    );
    assert.equal(json, {
      Name: `${registry.host}/nginx`,
      Description: 'Official build of Nginx. And more words than fit into the column',
      StarCount: '20000',
      IsOfficial: 'true',
      IsAutomated: 'false',
    });
  } finally {
    registry.mischief = before;
  }
});

test('bad requests', async () => {
  const at = `${registry.host}/x`;
  await box.fails(125, /limit 0 is not between 1 and 100/, 'search', '--limit', '0', at);
  await box.fails(125, /limit 101 /, 'search', '--limit', '101', at);
  await box.fails(125, /invalid value 'many' for --limit/, 'search', '--limit', 'many', at);
  await box.fails(125, /unknown filter 'size'/, 'search', '-f', 'size=1', at);
  await box.fails(125, /takes a number/, 'search', '-f', 'stars=many', at);
  await box.fails(125, /takes true or false/, 'search', '-f', 'is-official=perhaps', at);
  await box.fails(125, /nothing to search for/, 'search', '');
  await box.fails(125, /connection refused/, 'search', '127.0.0.1:1/x');
});

test('a registry that answers nonsense', async () => {
  const before = registry.mischief;
  try {
    registry.mischief = () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' });
    await box.fails(125, /answered HTML/, 'search', `${registry.host}/x`);
    registry.mischief = () => ({ status: 200, body: '[' });
    await box.fails(125, /a list that cannot be read/, 'search', `${registry.host}/x`);
    registry.mischief = ({ path }) => ({ status: path.includes('v1') ? 200 : 404, body: '{"results":7}' });
    await box.fails(1, /does not list its repositories/, 'search', `${registry.host}/x`);
  } finally {
    registry.mischief = before;
  }
});

test.run();
