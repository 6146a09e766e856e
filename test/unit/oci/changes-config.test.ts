import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyChange, applyChanges } from '../../../src/oci/changes-config.ts';
import type { RunConfig } from '../../../src/oci/config.ts';

const test = suite('oci/changes-config');

const BASE: RunConfig = {
  Env: ['PATH=/bin', 'A=one'],
  Cmd: ['old'],
  Entrypoint: ['/init'],
  WorkingDir: '/srv',
  Labels: { kept: 'yes' },
  ExposedPorts: { '22/tcp': {} },
};

const CASES: ReadonlyArray<[string, RunConfig]> = [
  ['CMD ["a", "b c"]', { Cmd: ['a', 'b c'] }],
  ['cmd echo $HOME "x"', { Cmd: ['/bin/sh', '-c', 'echo $HOME "x"'] }],
  ['CMD ["a", 1]', { Cmd: ['/bin/sh', '-c', '["a", 1]'] }],
  ['CMD []', { Cmd: [] }],
  ['ENV B=2', { Env: ['PATH=/bin', 'A=one', 'B=2'] }],
  ['ENV A=two B="x  y" C=it\\ is', { Env: ['PATH=/bin', 'A=two', 'B=x  y', 'C=it is'] }],
  ['ENV B some words  here', { Env: ['PATH=/bin', 'A=one', 'B=some words  here'] }],
  ['ENV PATH=$PATH:/opt', { Env: ['PATH=/bin:/opt', 'A=one'] }],
  ["ENV B='$PATH'", { Env: ['PATH=/bin', 'A=one', 'B=$PATH'] }],
  [`ENV B="\${A}-\${NO:-none}-\${A:+set}-\\$A-$"`, { Env: ['PATH=/bin', 'A=one', 'B=one-none-set-$A-$'] }],
  ['ENV B=a=b=c', { Env: ['PATH=/bin', 'A=one', 'B=a=b=c'] }],
  ['ENV B=', { Env: ['PATH=/bin', 'A=one', 'B='] }],
  ['EXPOSE 80 443/TCP 53/udp', { ExposedPorts: { '22/tcp': {}, '80/tcp': {}, '443/tcp': {}, '53/udp': {} } }],
  ['EXPOSE 8000-8002', { ExposedPorts: { '22/tcp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} } }],
  ['LABEL a=1 "b c"="d e"', { Labels: { kept: 'yes', a: '1', 'b c': 'd e' } }],
  ['LABEL version old form', { Labels: { kept: 'yes', version: 'old form' } }],
  ['USER app:app', { User: 'app:app' }],
  ['VOLUME /data /logs', { Volumes: { '/data': {}, '/logs': {} } }],
  ['VOLUME ["/a b"]', { Volumes: { '/a b': {} } }],
  ['WORKDIR /x/../y', { WorkingDir: '/y' }],
  ['WORKDIR sub dir', { WorkingDir: '/srv/sub dir' }],
  ['WORKDIR /home/$A', { WorkingDir: '/home/one' }],
  ['STOPSIGNAL SIGQUIT', { StopSignal: 'SIGQUIT' }],
  ['STOPSIGNAL 9', { StopSignal: '9' }],
  ['STOPSIGNAL RTMIN+3', { StopSignal: 'RTMIN+3' }],
  ['ONBUILD RUN make', { OnBuild: ['RUN make'] }],
  ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
  ['HEALTHCHECK CMD curl -f localhost', { Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost'] } }],
  [
    'HEALTHCHECK --interval=1m30s --timeout=500ms --retries=4 --start-period=0 CMD ["true"]',
    {
      Healthcheck: {
        Test: ['CMD', 'true'],
        Interval: 90e9,
        Timeout: 5e8,
        Retries: 4,
        StartPeriod: 0,
      },
    },
  ],
];

for (const [change, expected] of CASES) {
  test(change, () => assert.equal(applyChange(BASE, change), { ...BASE, ...expected }));
}

test('ENTRYPOINT drops the command that was there, not one that is given with it', () => {
  const { Cmd: _, ...others } = BASE;
  assert.equal(applyChange(BASE, 'ENTRYPOINT ["x"]'), { ...others, Entrypoint: ['x'] });
  const both = { ...BASE, Entrypoint: ['x'], Cmd: ['y'] };
  assert.equal(applyChanges(BASE, ['CMD ["y"]', 'ENTRYPOINT ["x"]']), both);
  assert.equal(applyChanges(BASE, ['ENTRYPOINT ["x"]', 'CMD ["y"]']), both);
});

test('the image’s own shell runs the shell form', () => {
  assert.equal(applyChange({ Shell: ['/bin/bash', '-c'] }, 'CMD a b').Cmd, ['/bin/bash', '-c', 'a b']);
});

test('one change sees what another has set', () => {
  assert.equal(applyChanges({}, ['ENV A=1', 'ENV B=$A$A', 'WORKDIR x', 'WORKDIR y']), {
    Env: ['A=1', 'B=11'],
    WorkingDir: '/x/y',
  });
});

const WRONG: ReadonlyArray<[string, RegExp]> = [
  ['', /not a change/],
  ['RUN true', /not a change/],
  ['COPY a b', /not a change/],
  ['constructor x', /not a change/],
  ['CMD=/bin/sh', /not a change/],
  ['ENV', /needs an argument/],
  ['ENV A', /no value/],
  ['ENV A=1 B', /no "="/],
  ['ENV =1', /no name/],
  ['ENV A="1', /not closed/],
  ["LABEL a='b", /not closed/],
  ['ENV A=${B', /not a variable/],
  ['EXPOSE 0', /not a port/],
  ['EXPOSE 65536', /not a port/],
  ['EXPOSE 90-80', /not a port/],
  ['EXPOSE 80/icmp', /not a port/],
  ['EXPOSE http', /not a port/],
  ['VOLUME [""]', /no path/],
  ['STOPSIGNAL nonsense', /not a signal/],
  ['STOPSIGNAL 65', /not a signal/],
  ['ONBUILD ONBUILD RUN x', /cannot be a trigger/],
  ['ONBUILD from x', /cannot be a trigger/],
  ['HEALTHCHECK true', /NONE or CMD/],
  ['HEALTHCHECK NONE x', /nothing else/],
  ['HEALTHCHECK CMD', /needs a command/],
  ['HEALTHCHECK --interval=5 CMD x', /not a duration/],
  ['HEALTHCHECK --retries=-1 CMD x', /not a count/],
  ['HEALTHCHECK --often=1s CMD x', /no option/],
];

for (const [change, message] of WRONG) {
  test(`refuses ${JSON.stringify(change)}`, () => {
    assert.throws(
      () => applyChange(BASE, change),
      (error: { code: string; message: string }) =>
        error.code === 'USAGE' &&
        message.test(error.message) &&
        error.message.includes(JSON.stringify(change)),
    );
  });
}

test.run();
