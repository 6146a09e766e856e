import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Instruction } from '../../../src/build/instructions.ts';
import { parseDockerfile, parseTrigger } from '../../../src/build/parse.ts';
import { TsboxError } from '../../../src/errors.ts';

const test = suite('Dockerfile parser');

/** The instructions of a stage, without places. */
function instructions(body: string): Record<string, unknown>[] {
  const { stages } = parseDockerfile(`FROM scratch\n${body}`);
  return stages.flatMap(stage => stage.instructions).map(bare);
}

function bare(instruction: Instruction): Record<string, unknown> {
  const { range: _, original: _original, text: _text, heredocs: _heredocs, ...rest } = instruction;
  return JSON.parse(JSON.stringify(rest, (key, value: unknown) => (key === 'range' ? undefined : value)));
}

const shell = (line: string) => ({ shell: true, words: [line] });
const exec = (...words: string[]) => ({ shell: false, words });
const run = (line: string) => ({ keyword: 'RUN', command: shell(line), mounts: [] });
const copied = { link: false, parents: false, exclude: [], files: [] };

const TABLE: readonly (readonly [name: string, body: string, wanted: object[]])[] = [
  ['shell form', 'RUN echo  a', [run('echo  a')]],
  ['exec form', 'RUN ["a", "b c"]', [{ keyword: 'RUN', command: exec('a', 'b c'), mounts: [] }]],
  ['not quite JSON goes to the shell', "RUN ['a']", [run("['a']")]],
  ['JSON with something behind it too', 'RUN ["a"] b', [run('["a"] b')]],
  ['a keyword in any case', 'rUn x', [run('x')]],
  ['blanks before and after', '  \tRUN x  ', [run('x')]],
  ['continuation', 'RUN a \\\n  b', [run('a   b')]],
  ['continuation with blanks behind it', 'RUN a \\  \n b', [run('a  b')]],
  ['comment and empty line within', 'RUN a \\\n# c\n\n  # d\n b', [run('a  b')]],
  ['a comment sign later is none', 'RUN a # b', [run('a # b')]],
  ['two escapes do not continue', 'RUN a \\\\\nRUN b', [run('a \\\\'), run('b')]],
  ['a continuation at the end', 'RUN a \\', [run('a')]],
  ['carriage returns', 'RUN a \\\r\n b\r\nRUN c\r\n', [run('a  b'), run('c')]],
  [
    'mounts',
    'RUN --mount=type=cache,target=/x --mount=type=tmpfs,target=/y z',
    [{ ...run('z'), mounts: ['type=cache,target=/x', 'type=tmpfs,target=/y'] }],
  ],
  [
    'network and security',
    'RUN --network=none --security=sandbox z',
    [{ ...run('z'), network: 'none', security: 'sandbox' }],
  ],
  ['-- ends flags', 'RUN -- --mount=x', [run('--mount=x')]],
  ['a lone heredoc is the script', 'RUN <<EOF\na\nb\nEOF', [run('a\nb\n')]],
  ['a heredoc with a command', 'RUN cat <<EOF >x\na\nEOF', [run('cat <<EOF >x\na\nEOF')]],
  ['two heredocs', 'RUN cat <<A <<B\n1\nA\n2\nB', [run('cat <<A <<B\n1\nA\n2\nB')]],
  ['tabs are stripped', 'RUN <<-EOF\n\ta\n\t\tb\n\tEOF', [run('a\nb\n')]],
  ['a quoted heredoc with blanks', "RUN <<'A B'\nx\nA B\nRUN y", [run('x\n'), run('y')]],
  ['what is in quotes is no heredoc', 'RUN echo "<<EOF"', [run('echo "<<EOF"')]],
  ['a here-string is none', 'RUN cat <<<EOF', [run('cat <<<EOF')]],
  ['comments in a heredoc stay', 'RUN <<EOF\n# a\nEOF', [run('# a\n')]],
  ['COPY', 'COPY a b /c/', [{ keyword: 'COPY', sources: ['a', 'b'], target: '/c/', ...copied }]],
  [
    'COPY of names with blanks',
    'COPY ["a b", "c"]',
    [{ keyword: 'COPY', sources: ['a b'], target: 'c', ...copied }],
  ],
  [
    'COPY with every flag',
    'COPY --from=x --chown=1:2 --chmod=755 --link --parents --exclude=*.c --exclude=d a b',
    [
      {
        keyword: 'COPY',
        sources: ['a'],
        target: 'b',
        files: [],
        from: 'x',
        chown: '1:2',
        chmod: '755',
        link: true,
        parents: true,
        exclude: ['*.c', 'd'],
      },
    ],
  ],
  ['--link=false', 'COPY --link=false a b', [{ keyword: 'COPY', sources: ['a'], target: 'b', ...copied }]],
  [
    'COPY of heredocs',
    'COPY <<a x <<"b" /d/\n$1\na\n$2\nb',
    [
      {
        keyword: 'COPY',
        sources: ['x'],
        target: '/d/',
        ...copied,
        files: [
          { name: 'a', expand: true, stripTabs: false, content: '$1\n' },
          { name: 'b', expand: false, stripTabs: false, content: '$2\n' },
        ],
      },
    ],
  ],
  [
    'ADD',
    'ADD --keep-git-dir=true --checksum=sha256:1 --unpack=false u /d',
    [
      {
        keyword: 'ADD',
        sources: ['u'],
        target: '/d',
        ...copied,
        keepGitDir: true,
        checksum: 'sha256:1',
        unpack: false,
      },
    ],
  ],
  [
    'ENV',
    'ENV a=b "c d"=e\\ f g="h i"',
    [
      {
        keyword: 'ENV',
        pairs: [
          { name: 'a', value: 'b' },
          { name: '"c d"', value: 'e\\ f' },
          { name: 'g', value: '"h i"' },
        ],
      },
    ],
  ],
  ['the old ENV', 'ENV a b  c', [{ keyword: 'ENV', pairs: [{ name: 'a', value: 'b  c' }] }]],
  ['an empty value', 'ENV a=', [{ keyword: 'ENV', pairs: [{ name: 'a', value: '' }] }]],
  [
    'LABEL',
    'LABEL a.b="c" d=e',
    [
      {
        keyword: 'LABEL',
        pairs: [
          { name: 'a.b', value: '"c"' },
          { name: 'd', value: 'e' },
        ],
      },
    ],
  ],
  [
    'ARG',
    'ARG a b=c d=',
    [{ keyword: 'ARG', declarations: [{ name: 'a' }, { name: 'b', value: 'c' }, { name: 'd', value: '' }] }],
  ],
  ['WORKDIR with blanks', 'WORKDIR /a b', [{ keyword: 'WORKDIR', value: '/a b' }]],
  ['USER', 'USER a:b', [{ keyword: 'USER', value: 'a:b' }]],
  ['EXPOSE', 'EXPOSE 80 90/udp', [{ keyword: 'EXPOSE', values: ['80', '90/udp'] }]],
  ['VOLUME', 'VOLUME /a /b', [{ keyword: 'VOLUME', values: ['/a', '/b'] }]],
  ['VOLUME as JSON', 'VOLUME ["/a b"]', [{ keyword: 'VOLUME', values: ['/a b'] }]],
  ['CMD', 'CMD ["a"]', [{ keyword: 'CMD', command: exec('a') }]],
  ['CMD in the shell', 'CMD a b', [{ keyword: 'CMD', command: shell('a b') }]],
  ['an empty CMD', 'CMD []', [{ keyword: 'CMD', command: exec() }]],
  ['ENTRYPOINT', 'ENTRYPOINT a', [{ keyword: 'ENTRYPOINT', command: shell('a') }]],
  ['SHELL', 'SHELL ["/bin/ash", "-c"]', [{ keyword: 'SHELL', values: ['/bin/ash', '-c'] }]],
  ['STOPSIGNAL', 'STOPSIGNAL SIGINT', [{ keyword: 'STOPSIGNAL', value: 'SIGINT' }]],
  ['MAINTAINER', 'MAINTAINER a <b@c>', [{ keyword: 'MAINTAINER', value: 'a <b@c>' }]],
  [
    'HEALTHCHECK',
    'HEALTHCHECK --interval=5s --timeout=1m30s --start-period=0 --start-interval=1s --retries=3 CMD a b',
    [
      {
        keyword: 'HEALTHCHECK',
        command: shell('a b'),
        interval: 5e9,
        timeout: 90e9,
        startPeriod: 0,
        startInterval: 1e9,
        retries: 3,
      },
    ],
  ],
  ['HEALTHCHECK in exec form', 'HEALTHCHECK CMD ["a"]', [{ keyword: 'HEALTHCHECK', command: exec('a') }]],
  ['no HEALTHCHECK', 'HEALTHCHECK none', [{ keyword: 'HEALTHCHECK' }]],
  ['ONBUILD', 'ONBUILD COPY a b', [{ keyword: 'ONBUILD', trigger: 'COPY a b' }]],
  [
    'ONBUILD with a heredoc',
    'ONBUILD RUN <<EOF\nx\nEOF\nRUN y',
    [{ keyword: 'ONBUILD', trigger: 'RUN <<EOF\nx\nEOF' }, run('y')],
  ],
];

for (const [name, body, wanted] of TABLE) test(name, () => assert.equal(instructions(body), wanted));

test('FROM', () => {
  const { stages, globals } = parseDockerfile('ARG A=1\nFROM --platform=$B x:$A As Base\nFROM y');
  assert.equal(globals[0]?.declarations, [{ name: 'A', value: '1' }]);
  assert.equal(
    stages.map(({ from }) => [from.image, from.as, from.platform]),
    [
      ['x:$A', 'base', '$B'],
      ['y', undefined, undefined],
    ],
  );
});

test('ranges, originals and one-line texts', () => {
  const { stages } = parseDockerfile(
    'from x\n\nrun --network=none a \\\n # c\n  b\n# end\nCOPY <<E /x\nl\nE\n',
  );
  const [first, second] = stages[0]?.instructions ?? [];
  assert.equal([first?.range.start.line, first?.range.end.line, first?.range.end.column], [3, 5, 4]);
  assert.is(first?.original, 'run --network=none a \\\n # c\n  b');
  assert.is(first?.text, 'RUN --network=none a   b');
  assert.equal([second?.range.start.line, second?.range.end.line], [7, 9]);
  assert.is(second?.original, 'COPY <<E /x\nl\nE');
  assert.equal(second?.heredocs[0]?.range.start.line, 8);
});

test('a byte order mark, directives, another escape', () => {
  const { directives, stages } = parseDockerfile(
    '\ufeff# Syntax = docker/dockerfile:1\n# escape=`\n# check=skip=all\nFROM x\nRUN a `\n b\\\n',
  );
  assert.equal(directives, { escape: '`', syntax: 'docker/dockerfile:1', check: 'skip=all' });
  assert.equal(stages[0]?.instructions.map(bare), [run('a  b\\')]);
});

test('directives end with the first line that is none', () => {
  assert.is(parseDockerfile('# hello\n# escape=`\nFROM x').directives.escape, '\\');
  assert.is(parseDockerfile('#!/bin/sh\n# escape=`\nFROM x').directives.escape, '`');
});

test('a script with an interpreter of its own', () => {
  const [first] = parseDockerfile('FROM x\nRUN <<EOF\n#!/bin/cat\nx\nEOF\n').stages[0]?.instructions ?? [];
  assert.is(first?.keyword === 'RUN' && first.script?.content, '#!/bin/cat\nx\n');
});

const BAD: readonly (readonly [text: string, ...messages: string[]])[] = [
  ['', 'Dockerfile: there is no FROM'],
  ['# only\n\n', 'there is no FROM'],
  ['RUN x\nFROM y', '1:1: RUN stands before the first FROM'],
  ['FORM x', '1:1: there is no instruction "FORM" (did you mean FROM?)'],
  ['FROM x\nCPOY a b', '2:1: there is no instruction "CPOY" (did you mean COPY?)'],
  ['FROM x\nxyzzy', '2:1: there is no instruction "xyzzy"\n'],
  ['FROM', '1:4: FROM needs an image'],
  ['FROM a b', '1:8: FROM takes an image, and AS with a name'],
  ['FROM a AS', '1:8: FROM takes'],
  ['FROM a AS 1x', '1:11: the name of a stage begins with a letter'],
  ['FROM x\nRUN', '2:3: RUN needs a command'],
  ['FROM x\nRUN []', '2:5: RUN needs a command'],
  ['FROM x\nRUN [1]', '2:5: an array in exec form holds strings only'],
  ['FROM x\nCOPY a', '2:6: COPY needs at least a source and a destination'],
  ['FROM x\nCOPY --form=a b c', '2:6: COPY has no flag --form (did you mean --from?)'],
  ['FROM x\nCOPY --from a b', '2:6: --from needs a value'],
  ['FROM x\nCOPY --from=$a b c', '2:13: --from does not take variables'],
  ['FROM x\nCOPY --chown=1 --chown=2 b c', '2:16: --chown is given twice'],
  ['FROM x\nCOPY --link=maybe b c', '--link is true or false'],
  ['FROM x\nCOPY a <<b\nx\nb', '2:8: a heredoc is a source'],
  ['FROM x\nRUN <<EOF\na', '2:5: the heredoc <<EOF has no end'],
  ['FROM x\nENV a', '2:5: ENV needs a value'],
  ['FROM x\nENV a=b c', '2:9: c has no "="'],
  ['FROM x\nENV =b', '2:5: a name is missing'],
  ['FROM x\nENV --x a=b', '2:5: ENV takes no flags'],
  ['FROM x\nARG =1', 'ARG needs a name'],
  ['FROM x\nSHELL sh', '2:7: SHELL takes the exec form'],
  ['FROM x\nHEALTHCHECK TCP x', 'HEALTHCHECK is followed by NONE or CMD'],
  ['FROM x\nHEALTHCHECK NONE x', '2:18: HEALTHCHECK NONE takes nothing else'],
  ['FROM x\nHEALTHCHECK --interval=1 CMD x', '2:24: --interval is a duration'],
  ['FROM x\nHEALTHCHECK --interval=1us CMD x', '--interval is a duration'],
  ['FROM x\nHEALTHCHECK --retries=-1 CMD x', '--retries is a count'],
  ['FROM x\nONBUILD ONBUILD RUN x', 'ONBUILD cannot be a trigger'],
  ['FROM x\nONBUILD from y', 'FROM cannot be a trigger'],
  ['FROM x\nRUN --mount=type=nfs,target=/x y', '"nfs" is no type of --mount'],
  ['FROM x\nRUN --network=bridge y', '--network is default or none or host'],
  ['# escape=x\nFROM x', '1:1: escape is'],
  ['# escape=`\n# escape=`\nFROM x', '2:1: escape is given twice'],
  [
    'FROM x\nCOPY a\nRAN x\nENV a',
    '3 mistakes in Dockerfile',
    ':2:6:',
    ':3:1:',
    '(did you mean RUN?)',
    ':4:5:',
  ],
];

for (const [text, ...messages] of BAD) {
  test(`mistake: ${JSON.stringify(text)}`, () => {
    try {
      parseDockerfile(text);
    } catch (error) {
      assert.instance(error, TsboxError);
      assert.is((error as TsboxError).code, 'DOCKERFILE');
      for (const part of messages)
        assert.ok(`${(error as Error).message}\n`.includes(part), (error as Error).message);
      return;
    }
    assert.unreachable('it was accepted');
  });
}

test('a caret shows the place, also behind a continuation', () => {
  assert.throws(
    () => parseDockerfile('FROM x\nENV a=b \\\n  cd\n'),
    (e: Error) => e.message.endsWith('   3 |   cd\n     |   ^~'),
  );
});

test('long lines are shown around the place', () => {
  assert.throws(
    () => parseDockerfile(`FROM x\nENV a=${'x'.repeat(5000)} b\n`),
    (e: Error) => e.message.length < 500 && e.message.includes('…'),
  );
});

test('a file of megabytes and one of many lines take no time', () => {
  const begin = Date.now();
  parseDockerfile(`FROM x\nRUN ${'a '.repeat(500_000)}\n${'RUN a \\\n b\n'.repeat(5000)}`);
  assert.ok(Date.now() - begin < 3000, `${Date.now() - begin} ms`);
});

test('warnings: empty lines, old forms, what looks like JSON', () => {
  const { warnings } = parseDockerfile("FROM x\nRUN a \\\n\n b\nENV a b\nMAINTAINER m\nCMD ['x']\n");
  assert.equal(
    warnings.map(({ range }) => range.start.line),
    [2, 5, 6, 7],
  );
});

test('triggers', () => {
  assert.is(parseTrigger('RUN x').keyword, 'RUN');
  assert.is(parseTrigger('COPY <<E /x\na\nE').keyword, 'COPY');
  for (const bad of ['FROM x', 'RUN x\nRUN y', 'ONBUILD RUN x', '', 'nothing'])
    assert.throws(
      () => parseTrigger(bad),
      (e: TsboxError) => e.code === 'DOCKERFILE',
      bad,
    );
});

test.run();
