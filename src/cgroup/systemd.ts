import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { ourUid } from '../host/paths.ts';
import { Bus } from './dbus.ts';
import type { Marshaller } from './dbus-message.ts';
import { cgroupFacts, layoutReason, ownGroup } from './detect.ts';
import type { CgroupDriver, CgroupFacts, PlaceRequest } from './driver.ts';
import { enableControllers, makeGroup, moveProcesses, wordsOf } from './tree.ts';

/** The leaf of a scope for the processes beside the container: supervisor, front, network helpers. */
const SUPERVISOR = 'supervisor';
const CONTAINER = 'container';

/**
 * A transient scope with `Delegate=yes` (systemd.scope(5), org.freedesktop.systemd1(5)) from the user's own manager, or for root from the system's. The
 * scope begins with our helper in it and ends, with all that is in it, when its last process has ended: whoever is killed.
 */
export const systemd: CgroupDriver = {
  name: 'systemd',
  waits: true,

  probe(facts) {
    if (facts.layout !== 'v2') return no(layoutReason(facts.layout));
    if (facts.userBus === undefined) return no('no systemd manager of this user can be reached');
    const delegation = managerGroup(facts);
    return { ok: true, controllers: wordsOf(join(delegation, 'cgroup.controllers')), delegation };
  },

  async place(request) {
    const unit = `tsbox-${request.containerId.slice(0, 16)}-${process.hrtime.bigint().toString(36)}.scope`;
    await startScopeOf(request, unit);
    const scope = groupOf(request.helper, request.facts);
    moveHelpers(scope);
    enableControllers(scope);
    return { path: join(scope, CONTAINER), unit };
  },

  async admit({ path, unit }, helper) {
    const scope = dirname(path);
    const facts = cgroupFacts();
    if (facts.own?.startsWith(`${scope}/`)) return;
    const bus = await openBus(facts);
    try {
      await bus.call({
        ...MANAGER,
        member: 'AttachProcessesToUnit',
        signature: 'ssau',
        body: m =>
          m
            .string(unit ?? '')
            .string(`/${SUPERVISOR}`)
            .array(
              4,
              family(helper).map(pid => e => e.u32(pid)),
            ),
      });
    } finally {
      bus.close();
    }
  },
};

const MANAGER = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
} as const;

const TRIES = 3;
const PAUSE_MS = 5;

/** The helper and what it has started before it was asked. A short-lived one of them may end while we ask: then again. */
async function startScopeOf(request: PlaceRequest, unit: string): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await startScope(request, unit, family(request.helper));
    } catch (error) {
      if (left === 0) throw error;
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** proc_tid_children(5). */
function family(pid: number): number[] {
  const children = wordsOf(`/proc/${pid}/task/${pid}/children`).map(Number);
  return [pid, ...children.flatMap(family)];
}

/** A scope is there when its job is done, which a signal says. */
async function startScope(request: PlaceRequest, unit: string, pids: readonly number[]): Promise<void> {
  const bus = await openBus(request.facts);
  try {
    bus.match(`type='signal',interface='${MANAGER.interface}',member='JobRemoved',path='${MANAGER.path}'`);
    const answer = await bus.call({
      ...MANAGER,
      member: 'StartTransientUnit',
      signature: 'ssa(sv)a(sa(sv))',
      body: m => m.string(unit).string('fail').array(8, properties(request, pids)).array(8, []),
    });
    const [job] = answer.body;
    // JobRemoved: id, job, unit, result.
    const removed = await bus.signal(s => s.member === 'JobRemoved' && s.body[1] === job);
    if (removed.body[3] !== 'done')
      throw new TsboxError('HOST', `systemd: the job for ${unit} ended as ${removed.body[3]}`, {
        hint: `systemctl ${ourUid() === 0 ? '' : '--user '}status ${unit}`,
        check: 'cgroup-refused',
      });
  } finally {
    bus.close();
  }
}

function properties(
  { containerId, parent }: PlaceRequest,
  pids: readonly number[],
): ((m: Marshaller) => void)[] {
  const property = (name: string, type: string, value: (v: Marshaller) => void) => (m: Marshaller) =>
    m.string(name).variant(type, value);
  return [
    property('Description', 's', v => v.string(`tsbox container ${containerId.slice(0, 12)}`)),
    property('Delegate', 'b', v => v.boolean(true)),
    property('CollectMode', 's', v => v.string('inactive-or-failed')),
    property('PIDs', 'au', v =>
      v.array(
        4,
        pids.map(pid => e => e.u32(pid)),
      ),
    ),
    ...(parent === undefined ? [] : [property('Slice', 's', v => v.string(sliceName(parent)))]),
  ];
}

function sliceName(parent: string): string {
  if (/^[\w.:\\-]+\.slice$/.test(parent)) return parent;
  throw new TsboxError('USAGE', `--cgroup-parent ${parent} is no slice of systemd`, {
    hint: '--cgroup-parent user-builds.slice',
  });
}

/** A group with processes cannot give controllers to its children: the helper goes to a leaf before it has any. */
function moveHelpers(scope: string): void {
  const leaf = join(scope, SUPERVISOR);
  makeGroup(leaf);
  if (!moveProcesses(scope, leaf))
    throw new TsboxError('HOST', `the processes of ${scope} cannot be moved to ${leaf}`, {
      check: 'cgroup-refused',
    });
}

function groupOf(pid: number, { mount }: CgroupFacts): string {
  const text = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const found = mount && ownGroup(text, readFileSync('/proc/self/mountinfo', 'utf8'));
  if (found) return found;
  throw new TsboxError('HOST', `the scope of process ${pid} is not below ${mount}`, {
    check: 'cgroup-refused',
  });
}

/** What the manager may give away. For root that is everything. */
function managerGroup({ mount = '', own }: CgroupFacts): string {
  const uid = ourUid();
  const usual = join(mount, `user.slice/user-${uid}.slice/user@${uid}.service`);
  if (uid === 0 || !existsSync(usual)) return uid === 0 ? mount : (own ?? mount);
  return usual;
}

/** node:net takes longer to load than a group of cgroupfs to make: those who have no bus do without. */
async function openBus({ userBus }: CgroupFacts): Promise<Bus> {
  if (userBus !== undefined) return new Bus(userBus, (await import('node:net')).connect(userBus));
  throw new TsboxError('HOST', 'no systemd manager of this user can be reached', {
    hint: 'loginctl enable-linger keeps it there without a login',
    check: 'cgroup-manager',
  });
}

const no = (reason: string) => ({ ok: false, controllers: [], reason });
