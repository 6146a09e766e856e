// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the words of Dockerfiles
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Instruction } from '../../../src/build/instructions.ts';
import { parseDockerfile } from '../../../src/build/parse.ts';
import { StageScope } from '../../../src/build/variables.ts';
import { expandWord, expandWords } from '../../../src/build/variables-word.ts';
import type { TsboxError } from '../../../src/errors.ts';

const test = suite('Dockerfile variables');
const VARIABLES = new Map([
  ['x', 'value'],
  ['empty', ''],
  ['path', '/usr/local/lib/a.tar.gz'],
  ['blanks', 'a  b'],
  ['star', 'a*b?c'],
]);

const WORDS: readonly (readonly [word: string, wanted: string])[] = [
  ['$x', 'value'],
  ['a${x}b', 'avalueb'],
  ['$xy', ''],
  ['$x.y', 'value.y'],
  ['\\$x', '$x'],
  ['\\\\$x', '\\value'],
  ["'$x'", '$x'],
  ['"$x"', 'value'],
  ['"\\$x"', '$x'],
  ['"a\\b"', 'a\\b'],
  ['"a\\"b"', 'a"b'],
  ['a\\b', 'ab'],
  ["a'b'c", 'abc'],
  ['"it\'s"', "it's"],
  ['$', '$'],
  ['a$', 'a$'],
  ['$-x', 'x'],
  ['$1x', 'x'],
  ['${x:-d}', 'value'],
  ['${no:-d}', 'd'],
  ['${empty:-d}', 'd'],
  ['${empty-d}', ''],
  ['${no-d}', 'd'],
  ['${x:+y}', 'y'],
  ['${empty:+y}', ''],
  ['${empty+y}', 'y'],
  ['${no+y}', ''],
  ['${no:-$x}', 'value'],
  ['${no:-${no2:-deep}}', 'deep'],
  ['${no:-"a b"}', 'a b'],
  ["${no:-'}'}", '}'],
  ['${no:-\\}}', '}'],
  ['${x:?e}', 'value'],
  ['${empty?e}', ''],
  ['${path#*/}', 'usr/local/lib/a.tar.gz'],
  ['${path##*/}', 'a.tar.gz'],
  ['${path%/*}', '/usr/local/lib'],
  ['${path%%.*}', '/usr/local/lib/a'],
  ['${path%.*}', '/usr/local/lib/a.tar'],
  ['${path#no}', '/usr/local/lib/a.tar.gz'],
  ['${x#?}', 'alue'],
  ['${x##*}', ''],
  ['${x#*}', 'value'],
  ['${star#a\\*}', 'b?c'],
  ['${star%\\?c}', 'a*b'],
  ['${path/l/L}', '/usr/Local/lib/a.tar.gz'],
  ['${path//l/L}', '/usr/LocaL/Lib/a.tar.gz'],
  ['${path//\\//-}', '-usr-local-lib-a.tar.gz'],
  ['${x/*/r}', 'r'],
  ['${x//*/r}', 'r'],
  ['${x/a*u/-}', 'v-e'],
  ['${x/no/r}', 'value'],
  ['${no/a/b}', ''],
];

for (const [word, wanted] of WORDS) test(word, () => assert.is(expandWord(word, VARIABLES), wanted));

for (const word of [
  '${x',
  '${',
  '${}',
  '${:-a}',
  '${x:}',
  '${x:a}',
  '${x!}',
  '${x:-a',
  '"a',
  "'a",
  '${no:?}',
  '${no?why}',
  '${empty:?}',
  '${x/a',
  '${x/a/b',
  '${x#\\q}',
])
  test(`not ${word}`, () =>
    assert.throws(
      () => expandWord(word, VARIABLES),
      (e: TsboxError) => e.code === 'DOCKERFILE',
    ));

test('the message of ${x:?message}', () => {
  assert.throws(() => expandWord('${no:?give me $x}', VARIABLES), /no: give me value/);
});

test('nests that are too deep end', () => {
  assert.throws(() => expandWord('${a:-'.repeat(5000) + '}'.repeat(5000), VARIABLES), /too deep/);
});

test('patterns of strangers end', () => {
  const begin = Date.now();
  expandWord(`\${v##${'*a'.repeat(40)}b}`, new Map([['v', 'a'.repeat(5000)]]));
  assert.ok(Date.now() - begin < 3000);
});

test('words: blanks of values split, quoted ones do not', () => {
  assert.equal(expandWords('$blanks "$blanks" c\\ d', VARIABLES), ['a', 'b', 'a  b', 'c d']);
});

test('another escape', () => {
  assert.is(expandWord('`$x \\$x', VARIABLES, { escapeChar: '`' }), '$x \\value');
});

test('content of heredocs keeps quotes', () => {
  assert.is(expandWord('"$x" \'$x\' \\$x', VARIABLES, { literalQuotes: true }), '"value" \'value\' $x');
});

test('what has no value is told', () => {
  const names: string[] = [];
  expandWord('$x $no ${no2} ${no3:-a}', VARIABLES, { onUnset: name => names.push(name) });
  assert.equal(names, ['no', 'no2']);
});

interface Given {
  readonly env?: string[];
  readonly globals?: Record<string, string>;
  readonly buildArgs?: Record<string, string>;
}

/** Resolves all instructions of a stage in order. */
function resolved(body: string, given: Given = {}): { scope: StageScope; list: Instruction[] } {
  const dockerfile = parseDockerfile(`FROM x\n${body}`);
  const scope = new StageScope({
    dockerfile,
    env: given.env ?? [],
    globals: new Map(Object.entries(given.globals ?? {})),
    buildArgs: new Map(Object.entries(given.buildArgs ?? {})),
  });
  const list = (dockerfile.stages[0]?.instructions ?? []).map(instruction => {
    const done = scope.resolve(instruction);
    scope.apply(done);
    return done;
  });
  return { scope, list };
}

test('ENV sees what was before its line, not its own', () => {
  const { scope } = resolved('ENV a=1\nENV a=2 b=$a\nENV c="$a $b"');
  assert.equal(scope.env, ['a=2', 'b=1', 'c=2 1']);
});

test('ENV wins over ARG, before and after', () => {
  const { scope } = resolved('ARG a=arg\nENV a=env\nARG a=again', { buildArgs: { a: 'told' } });
  assert.equal(scope.env, ['a=env']);
  assert.is(scope.variables.get('a'), 'env');
  assert.is(scope.args.get('a'), 'told');
});

test('ARG: default, build argument, global, nothing', () => {
  const { scope } = resolved('ARG a=1\nARG b=2\nARG c\nARG d\nARG e=5', {
    buildArgs: { b: 'told', unknown: 'x' },
    globals: { c: 'global', e: 'global' },
  });
  assert.equal(
    [...scope.args],
    [
      ['a', '1'],
      ['b', 'told'],
      ['c', 'global'],
      ['e', '5'],
    ],
  );
});

test('a global ARG is unknown until it is declared', () => {
  const { list } = resolved('WORKDIR /$g\nARG g\nWORKDIR /$g', { globals: { g: 'v' } });
  assert.equal(
    list.map(each => each.keyword === 'WORKDIR' && each.value),
    ['/', false, '/v'],
  );
});

test('a default that is not used is not looked at', () => {
  assert.equal([...resolved('ARG a=${no:?x}', { buildArgs: { a: 'v' } }).scope.args], [['a', 'v']]);
  assert.throws(() => resolved('ARG a=${no:?x}'), /Dockerfile:2:1: no: x/);
});

test('declarations of a line see those before', () => {
  assert.equal(
    [...resolved('ARG a=1 b=$a').scope.args],
    [
      ['a', '1'],
      ['b', '1'],
    ],
  );
});

test('the environment of a RUN: ARGs, ENV, proxies', () => {
  const { scope } = resolved('ARG a=1\nENV b=2\nARG b=3', {
    buildArgs: { http_proxy: 'p', z: 'no' },
    env: ['PATH=/bin'],
  });
  assert.equal(scope.runEnvironment().sort(), ['PATH=/bin', 'a=1', 'b=2', 'http_proxy=p']);
  assert.equal(scope.env, ['PATH=/bin', 'b=2']);
});

test('which instructions are expanded', () => {
  const { list } = resolved(
    [
      'ENV v=1',
      'RUN $v',
      'CMD $v',
      'ENTRYPOINT ["$v"]',
      'SHELL ["$v"]',
      'HEALTHCHECK CMD $v',
      'ONBUILD RUN $v',
      'USER $v',
      'STOPSIGNAL $v',
      'VOLUME $v /b$v',
      'EXPOSE $v "${v}0-12/udp"',
      'LABEL l$v="a $v"',
      'COPY --chown=$v --chmod=$v --exclude=$v $v "b$v"',
      'ADD --checksum=$v u$v d',
    ].join('\n'),
  );
  const shown = list.map(({ range: _, original: _o, text: _t, heredocs: _h, ...rest }) =>
    JSON.stringify(rest),
  );
  for (const each of shown.slice(1, 7)) assert.ok(each.includes('$v'), each);
  for (const each of shown.slice(7)) assert.not(each.includes('$'), each);
  assert.ok(shown[10]?.includes('["1/tcp","10/udp","11/udp","12/udp"]'));
  assert.ok(shown[11]?.includes('{"name":"l1","value":"a 1"}'));
});

test('a heredoc of COPY is expanded unless its name is quoted', () => {
  const { list } = resolved('ENV v=1\nCOPY <<a <<"b" /d/\n"$v" \\$v\na\n$v\nb');
  const copy = list[1];
  assert.equal(copy?.keyword === 'COPY' && copy.files.map(file => file.content), ['"1" $v\n', '$v\n']);
});

test('mounts', () => {
  const dockerfile = parseDockerfile(
    'FROM x\nRUN --mount=type=cache,target=/c/$v,uid=1,mode=700,sharing=locked --mount=from=s,src=a,dst=b,rw --mount=type=secret,id=t,env=T --mount=type=ssh,required --mount=type=tmpfs,target=/t,size=1m x',
  );
  const scope = new StageScope({ dockerfile, env: ['v=1'], globals: new Map(), buildArgs: new Map() });
  const [run] = dockerfile.stages[0]?.instructions ?? [];
  assert.ok(run?.keyword === 'RUN');
  assert.equal(scope.mounts(run), [
    {
      type: 'cache',
      target: '/c/1',
      readOnly: false,
      required: false,
      id: '/c/1',
      sharing: 'locked',
      mode: 0o700,
      uid: 1,
    },
    { type: 'bind', target: 'b', from: 's', source: 'a', readOnly: false, required: false },
    { type: 'secret', readOnly: false, required: false, id: 't', env: 'T' },
    { type: 'ssh', readOnly: false, required: true, id: 'default' },
    { type: 'tmpfs', target: '/t', readOnly: false, required: false, size: 1 << 20 },
  ]);
});

for (const mount of [
  'type=bind',
  'type=cache,target=/x,sharing=all',
  'type=cache,target=/x,mode=9',
  'type=secret',
  'type=bind,target=/x,bind-propagation=rshared',
  'type=bind,target=/x,id=1',
  'target=/x,ro=perhaps',
  'target=/x,from=$v',
  'target=/x,ro,rw',
  'type=tmpfs,target=/x,size=much',
])
  test(`no mount: ${mount}`, () => {
    const dockerfile = parseDockerfile(`FROM x\nRUN --mount=${mount} x`);
    const scope = new StageScope({ dockerfile, env: [], globals: new Map(), buildArgs: new Map() });
    const [run] = dockerfile.stages[0]?.instructions ?? [];
    assert.ok(run?.keyword === 'RUN');
    assert.throws(
      () => scope.mounts(run),
      (e: TsboxError) => e.code === 'DOCKERFILE' && e.message.includes(':2:'),
    );
  });

test.run();
