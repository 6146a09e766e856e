import * as assert from 'node:assert/strict';
import { layerHints } from '../../src/engine/load-hints.ts';
import { decompress } from '../../src/layer/decompress.ts';
import { placeOf } from '../../src/layer/names.ts';
import { formatOverrideStat, parseOverrideStat } from '../../src/layer/override-stat.ts';
import { parsePax } from '../../src/layer/pax.ts';
import { parseImageConfig } from '../../src/oci/config.ts';
import { encodeIndex, encodeManifest, parseManifest } from '../../src/oci/manifest.ts';
import { choosePlatform, hostPlatform } from '../../src/oci/platform.ts';
import { familiarReference, formatReference, parseReference } from '../../src/oci/reference.ts';
import { findAuth } from '../../src/registry/auth-file.ts';
import { parseChallenges } from '../../src/registry/challenge.ts';
import { findRule, parseRegistriesConf } from '../../src/registry/registries-conf.ts';
import { parseRetryAfter } from '../../src/registry/retry.ts';
import { cleanText, shownUrl } from '../../src/registry/text.ts';
import {
  archive,
  dir,
  file,
  gnuLong,
  hardlink,
  header,
  pax,
  paxRecord,
  symlink,
} from '../support/tar-bytes.ts';
import { BUILD_TARGETS } from './build-targets.ts';
import { HOST_TARGETS } from './host-targets.ts';
import { readInPieces, repairChecksums } from './tar.ts';
import { allowed, assertRefusal, type Target } from './target.ts';

export { allowed, type Target };

const text = (lines: readonly string[]): Buffer[] => lines.map(line => Buffer.from(line));
const D = `sha256:${'a'.repeat(64)}`;
const MANIFEST = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"${D}","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"${D}","size":3,"annotations":{"a":"b"}}],"annotations":{}}`;
const INDEX = `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"${D}","size":2,"platform":{"os":"linux","architecture":"arm","variant":"v7"}}]}`;
const CONFIG = `{"architecture":"amd64","os":"linux","config":{"User":"a","ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Cmd":["sh"],"Volumes":{"/v":{}},"Labels":{"a":"b"},"StopTimeout":1,"Healthcheck":{"Test":["NONE"],"Interval":1}},"rootfs":{"type":"layers","diff_ids":["${D}"]},"history":[{"created_by":"x","empty_layer":true}]}`;
const JSON_WORDS = [
  '{',
  '}',
  '[',
  ']',
  '""',
  'null',
  'true',
  ':',
  ',',
  '"__proto__":',
  '\\u0000',
  '\\ud800',
  '"constructor"',
  D,
];

function manifest(input: Buffer): void {
  allowed(() => {
    const document = parseManifest(input);
    const again = parseManifest(document.kind === 'index' ? encodeIndex(document) : encodeManifest(document));
    assert.deepEqual(JSON.stringify(again), JSON.stringify(document));
    if (document.kind === 'index') choosePlatform(document, hostPlatform(), 'x');
  });
}

function reference(input: Buffer): void {
  allowed(() => {
    const ref = parseReference(input.toString());
    assert.deepEqual(parseReference(formatReference(ref)), ref);
    assert.deepEqual(parseReference(familiarReference(ref)), ref);
    // It becomes a part of a URL and must mean the same there.
    const path = `/v2/${ref.path}/manifests/${ref.digest ?? ref.tag}`;
    assert.equal(new URL(`https://host${path}`).pathname, path);
  });
}

function name(input: Buffer): void {
  allowed(() => {
    const place = placeOf(input.toString('latin1'));
    for (const part of [...place.parents, place.base])
      assert.ok(!part.includes('/') && part !== '..' && part !== '.', JSON.stringify(part));
    if (place.whiteout?.kind === 'remove') assert.match(place.whiteout.name, /^(?!\.{0,2}$)[^/]+$/s);
  });
}

function paxHeader(input: Buffer): void {
  allowed(() => {
    const { path = '', linkpath = '', size = 0, uid = 0, gid = 0, mtime, xattrs } = parsePax(input);
    assert.ok(!path.includes('\0') && !linkpath.includes('\0'));
    for (const n of [size, uid, gid]) assert.ok(Number.isSafeInteger(n) && n >= 0);
    assert.ok(mtime === undefined || (mtime.nanoseconds >= 0 && mtime.nanoseconds < 1e9));
    for (const key of xattrs?.keys() ?? []) assert.ok(key !== '' && !key.includes('\0'));
  });
}

async function zstd(input: Buffer): Promise<void> {
  const limits = { maxRatio: 50, freeBytes: 1 << 20 };
  let out = 0;
  try {
    for await (const piece of decompress(pieces(input), limits)) out += piece.length;
  } catch (error) {
    assertRefusal(error);
  }
  assert.ok(out <= 64 << 20, `${out} bytes`);
}

async function* pieces(input: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < input.length; at += 100) yield input.subarray(at, at + 100);
}

export const TARGETS: Readonly<Record<string, Target>> = {
  ...BUILD_TARGETS,
  ...HOST_TARGETS,
  tar: {
    run: input => allowed(() => readInPieces(input)),
    repair: repairChecksums,
    limit: 16 << 10,
    words: ['ustar\x0000', 'ustar  \0', '77777777777\0', '..', '././@LongLink'],
    seeds: [
      archive(dir('d'), file('d/f', 'text'), symlink('l', '../x'), hardlink('h', 'd/f')),
      archive(pax({ path: 'p', 'SCHILY.xattr.user.a': 'b', size: '4' }), file('x', 'text')),
      archive(gnuLong('L', 'n'.repeat(200)), gnuLong('K', 'k'), symlink('a', 'b')),
      archive(pax({ 'GNU.sparse.size': '10', 'GNU.sparse.map': '2,4' }), file('s', 'text')),
      archive(
        pax({
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.realsize': '9',
          'GNU.sparse.name': 's',
        }),
        file('x', Buffer.concat([Buffer.from('1\n2\n4\n'), Buffer.alloc(506), Buffer.from('text')])),
      ),
      archive(
        header({
          name: 's',
          type: 'S',
          size: 0,
          magic: 'ustar  \0',
          edit: block => block.write('00000000012\0', 483),
        }),
      ),
    ],
  },
  pax: {
    run: paxHeader,
    words: [
      ' path=',
      ' linkpath=',
      ' size=',
      ' mtime=',
      ' SCHILY.xattr.',
      ' GNU.sparse.map=',
      '\n',
      '\0',
      '-1.5',
    ],
    seeds: [
      ['path', 'a/b'],
      ['linkpath', 'x'],
      ['size', '10'],
      ['uid', '0'],
      ['gid', '1'],
      ['mtime', '-1.25'],
      ['SCHILY.xattr.user.a', 'b'],
      ['GNU.sparse.offset', '1'],
      ['GNU.sparse.numbytes', '2'],
      ['comment', 'x'],
    ].map(([key = '', value = '']) => paxRecord(key, value)),
  },
  name: {
    run: name,
    words: ['..', './', '/', '.wh.', '.wh..wh..opq', '\0'],
    seeds: text(['a/b', '/etc/.wh.x', './d/.wh..wh..opq']),
  },
  'override-stat': {
    run: input => {
      const stat = parseOverrideStat(input.toString('latin1'));
      // Old writers leave the kind out; we do not.
      const full = stat && { ...stat, kind: stat.kind || 'file' };
      if (full) assert.deepEqual(parseOverrideStat(formatOverrideStat(full)), full);
    },
    words: [':', 'char-1-3', '0755', 'file'],
    seeds: text(['0:0:0644:file', '1:2:4755:char-1-3', '3:4:755']),
  },
  zstd: {
    run: zstd,
    words: ['\x28\xb5\x2f\xfd', '\x50\x2a\x4d\x18', '\x1f\x8b\x08\0'],
    seeds: [
      Buffer.from('28b52ffd045859000068656c6c6f207a7374640a6c57f951', 'hex'),
      Buffer.from('28b52ffd00380200000a0a0000610100000a', 'hex'),
      Buffer.from('502a4d180400000000000000', 'hex'),
    ],
  },
  manifest: {
    run: manifest,
    words: [...JSON_WORDS, '"manifests":[]', '"Layers":[]', '"urls":[]', '"constructor"'],
    seeds: text([MANIFEST, INDEX]),
  },
  config: {
    run: input => allowed(() => void parseImageConfig(input)),
    words: JSON_WORDS,
    seeds: text([CONFIG]),
  },
  'docker-archive': {
    // Refusals of hints are nobody's business: it must not throw at all.
    run: input =>
      void layerHints(
        new Map([
          ['manifest.json', input],
          ['c.json', Buffer.from(CONFIG)],
          ['m', Buffer.from(MANIFEST)],
        ]),
      ),
    words: [...JSON_WORDS, '"Config"', '"Layers"', '"RepoTags"', 'c.json'],
    seeds: text(['[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l/layer.tar"]}]']),
  },
  reference: {
    run: reference,
    words: [
      '/',
      ':',
      '@',
      D,
      'docker.io',
      'library/',
      'localhost',
      '..',
      '__',
      '--',
      '[::1]',
      ':5000',
      '%2e',
      '\0',
    ],
    seeds: text([
      'alpine',
      'a/b:1',
      `localhost:5000/a/b@${D}`,
      '[::1]:5000/x',
      'docker.io/library/a:b',
      'index.docker.io/a',
    ]),
  },
  'registries-conf': {
    run: input =>
      allowed(() => {
        const rules = parseRegistriesConf(input.toString(), 'registries.conf');
        for (const host of ['docker.io/library/a', 'a.b:5000/c', 'localhost/x']) findRule(rules, host);
      }),
    words: [
      '[[registry]]\n',
      '[[registry.mirror]]\n',
      'prefix = "',
      'location = "',
      'insecure = true\n',
      'blocked = ',
      '*.',
      '"""',
      "'''",
    ],
    seeds: text([
      '[[registry]]\nprefix = "a.b/c"\nlocation = "d.e"\ninsecure = true\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "digest-only"\n',
      '[[registry]]\nprefix = "*.example.com"\nblocked = true\n',
    ]),
  },
  challenge: {
    run: input => {
      for (const { scheme, params } of parseChallenges(input.toString('latin1')))
        for (const value of [scheme, ...Object.values(params)]) assert.equal(typeof value, 'string');
    },
    words: ['Bearer ', 'Basic ', 'realm="', 'scope=', ',', '=', '\\"', '"', '__proto__='],
    seeds: text([
      'Bearer realm="https://a/token",service="b",scope="repository:a/b:pull"',
      'Basic realm=x, Negotiate',
    ]),
  },
  'auth-file': {
    run: input => {
      const parsed = attempt(() => JSON.parse(input.toString()) as unknown);
      const found = findAuth(parsed, 'docker.io', 'library/a');
      if (found && 'credentials' in found)
        assert.equal(JSON.stringify(found.credentials).includes('secret'), false);
    },
    words: [
      ...JSON_WORDS,
      '"auths"',
      '"credHelpers"',
      '"credsStore"',
      '"auth"',
      '"identitytoken"',
      'docker.io',
    ],
    seeds: text(['{"auths":{"docker.io":{"auth":"dXNlcjpwYXNz"}},"credHelpers":{"a":"b"},"credsStore":"c"}']),
  },
  answers: {
    run: input => {
      const line = input.toString();
      assert.ok(!/[\p{Cc}\u202e]/u.test(cleanText(line)) && cleanText(line).length <= 301);
      assert.ok(!/[\p{Cc}]/u.test(shownUrl(line)));
      const wait = parseRetryAfter(line);
      assert.ok(wait === undefined || wait >= 0);
    },
    words: ['http://', 'https://u:p@h/', '?x=', '#', '\x1b[', 'Wed, 21 Oct 2026 07:28:00 GMT', '\u202e'],
    seeds: text(['https://user:pass@host:1/p?token=x#y', '120', 'Wed, 21 Oct 2026 07:28:00 GMT']),
  },
};

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}
