// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the words of Dockerfiles
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDockerfile } from '../../../src/build/parse.ts';
import { type GraphOptions, platformArgs, stageGraph } from '../../../src/build/stages.ts';
import { unusedBuildArgs } from '../../../src/build/stages-args.ts';
import type { TsboxError } from '../../../src/errors.ts';

const test = suite('stages');
const graph = (text: string, options: GraphOptions = {}) => stageGraph(parseDockerfile(text), options);
const fails = (text: string, wanted: RegExp, options: GraphOptions = {}): void => {
  assert.throws(
    () => graph(text, options),
    (e: TsboxError) => wanted.test(e.message),
  );
};

const FILE = [
  'ARG V=1',
  'FROM busybox:$V AS base',
  'FROM base AS unused',
  'FROM scratch AS data',
  'COPY x /',
  'FROM base AS build',
  'RUN --mount=type=bind,from=data,target=/d true',
  'FROM scratch',
  'COPY --from=build / /',
  'COPY --from=0 / /b',
  'COPY --from=alpine / /c',
].join('\n');

test('the order holds what the target needs and nothing else', () => {
  const { order, target, stages } = graph(FILE);
  assert.is(target, 4);
  assert.equal(order, [0, 2, 3, 4]);
  assert.equal(
    stages.map(stage => stage.needs),
    [[], [0], [], [0, 2], [3, 0]],
  );
  assert.equal(
    stages.map(stage => stage.name),
    ['base', 'unused', 'data', 'build', 'stage-4'],
  );
});

test('bases', () => {
  assert.equal(
    graph(FILE).stages.map(stage => stage.base),
    [
      { kind: 'image', reference: 'busybox:1' },
      { kind: 'stage', index: 0 },
      { kind: 'scratch' },
      { kind: 'stage', index: 0 },
      { kind: 'scratch' },
    ],
  );
  assert.equal(graph(FILE, { buildArgs: new Map([['V', '2']]) }).stages[0]?.base, {
    kind: 'image',
    reference: 'busybox:2',
  });
});

test('targets by name and number', () => {
  assert.equal(graph(FILE, { target: 'unused' }).order, [0, 1]);
  assert.equal(graph(FILE, { target: 'BASE' }).order, [0]);
  assert.equal(graph(FILE, { target: '2' }).order, [2]);
  fails(FILE, /no stage "buidl"/, { target: 'buidl' });
  assert.throws(
    () => graph(FILE, { target: 'buidl' }),
    (e: TsboxError) => e.hint === 'did you mean build?',
  );
});

test('sources of instructions', () => {
  const { sourceOf, stages } = graph(FILE);
  const [instruction] = stages[4]?.instructions ?? [];
  assert.ok(instruction);
  assert.equal(sourceOf(4, 'build', instruction), { kind: 'stage', index: 3 });
  assert.equal(sourceOf(4, 'alpine:3', instruction), { kind: 'image', reference: 'alpine:3' });
  assert.throws(() => sourceOf(4, '7', instruction), /there is no stage 7 before this one/);
});

test('contexts of the command line come first', () => {
  const { stages } = graph(FILE, { contexts: new Set(['base', 'alpine']) });
  assert.equal(stages[3]?.base, { kind: 'context', name: 'base' });
  assert.equal(stages[4]?.needs, [3, 0]);
});

test('a name that is used twice is the last one before', () => {
  const { stages } = graph('FROM a AS x\nFROM b AS x\nFROM x');
  assert.equal(stages[2]?.base, { kind: 'stage', index: 1 });
});

test('a stage that is named as an image it begins with', () => {
  assert.equal(
    graph('FROM node AS node\nFROM node').stages.map(stage => stage.base),
    [
      { kind: 'image', reference: 'node' },
      { kind: 'stage', index: 0 },
    ],
  );
});

test('mistakes', () => {
  fails('FROM scratch AS a\nCOPY --from=a / /', /:2:1: the stage a cannot take files from itself/);
  fails('FROM scratch\nCOPY --from=b / /\nFROM scratch AS b', /:2:1: the stage b comes later/);
  fails('FROM scratch\nCOPY --from=0 / /', /no stage 0 before/);
  fails('ARG A\nFROM $A', /:2:1: the image "\$A" is empty/);
  fails('FROM ${x', /"}" is missing/);
  fails('FROM --platform=linux/a/b/c x', /invalid platform/);
});

test('platforms', () => {
  const target = { os: 'linux', architecture: 'arm64', variant: undefined };
  const { stages, globals } = graph(
    'FROM --platform=$BUILDPLATFORM x\nFROM --platform=linux/arm/v7 y\nFROM z',
    { platform: target },
  );
  assert.equal(
    stages.map(stage => stage.platform?.startsWith('linux/')),
    [true, true, undefined],
  );
  assert.is(globals.get('TARGETPLATFORM'), 'linux/arm64');
  assert.is(globals.get('TARGETARCH'), 'arm64');
  assert.equal(platformArgs(target, 't', target).get('BUILDVARIANT'), '');
});

test('global ARGs see each other, and the platform', () => {
  const { globals } = graph('ARG A=1\nARG B=$A-$TARGETARCH C\nFROM x', {
    platform: { os: 'linux', architecture: 's390x', variant: undefined },
  });
  assert.is(globals.get('B'), '1-s390x');
  assert.is(globals.get('C'), undefined);
});

test('triggers of a stage count for those that begin with it', () => {
  const { stages } = graph('FROM a AS d\nFROM b AS o\nONBUILD COPY --from=d / /\nFROM o');
  assert.equal(stages[1]?.needs, []);
  assert.equal(stages[2]?.needs, [1, 0]);
});

test('build arguments that nobody takes', () => {
  const text = 'ARG A\nFROM x AS one\nARG B\nFROM y AS two\nARG C\nFROM one\nARG D=1';
  const names = ['A', 'B', 'C', 'D', 'E', 'http_proxy', 'SOURCE_DATE_EPOCH', 'BUILDKIT_X'];
  assert.equal(unusedBuildArgs(graph(text), names), ['C', 'E']);
});

test.run();
