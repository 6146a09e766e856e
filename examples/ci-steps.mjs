// A runner of CI steps: those that need nothing of one another run at the same time, each on a fork of what came before.
//
//   node examples/ci-steps.mjs IMAGE
//
// `after` names the step whose files a step begins with. A fork copies nothing, so ten test shards cost what one does.
import { Tsbox } from 'tsbox';

const STEPS = [
  { name: 'checkout', run: 'mkdir /src && cd /src && echo "hello" > hello.txt' },
  { name: 'install', after: 'checkout', run: 'mkdir /deps && echo installed > /deps/state' },
  { name: 'lint', after: 'checkout', run: 'grep -q hello /src/hello.txt' },
  { name: 'test 1', after: 'install', run: 'test "$(cat /deps/state)" = installed && sleep 0.2' },
  { name: 'test 2', after: 'install', run: 'test ! -e /tmp/of-test-1 && sleep 0.2' },
  { name: 'build', after: 'install', run: 'cp /src/hello.txt /src/artifact && cat /src/artifact' },
];

const [image = 'alpine'] = process.argv.slice(2);
const tsbox = await Tsbox.open();
let failed = 0;

/** Performs a step in its own sandbox, then those that come after it, each in a fork. */
async function perform(step, box) {
  try {
    const done = await box.exec(['sh', '-ec', step.run], { timeoutMs: 60_000 });
    console.log(
      `${done.exitCode === 0 ? 'ok  ' : 'FAIL'} ${step.name} (${Math.round(done.durationMs)} ms) ${done.stdout}`.trim(),
    );
    if (done.exitCode !== 0) {
      failed++;
      return;
    }
    const next = STEPS.filter(each => each.after === step.name);
    const forks = next.length > 0 ? await box.fork(next.length) : [];
    await Promise.all(next.map((each, i) => perform(each, forks[i])));
  } finally {
    await box.close();
  }
}

const first = STEPS.filter(step => step.after === undefined);
await Promise.all(first.map(async step => perform(step, await tsbox.sandbox({ image }))));
console.log(failed === 0 ? 'all steps passed' : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
