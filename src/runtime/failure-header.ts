import { getSystemErrorMap } from 'node:util';
import { TsboxError } from '../errors.ts';
import { CLOSED, closedBy, type UsernsFacts, usernsFacts } from '../host/userns-closed.ts';
import { EAGAIN, EINVAL, ENOMEM, ESRCH } from '../util/errno.ts';

const text = (errno: number): string => getSystemErrorMap().get(-errno)?.[1] ?? `errno ${errno}`;

/** A step of the helper before any plan: `clone`, `uidmap`, `newuidmap\n<what it printed>`, `lock` … `look`: at this machine. */
export function headerFailure(
  detail: string,
  errno: number,
  look: () => UsernsFacts = usernsFacts,
): TsboxError {
  const [step = '', ...rest] = detail.split('\n');
  const printed = rest.join(' ').trim();
  switch (step) {
    case 'clone':
      return cloneFailure(errno, look());
    case 'newuidmap':
    case 'newgidmap':
      return mapperFailure(step, printed, errno);
    case 'uidmap':
    case 'gidmap':
    case 'setgroups':
      return mapFailure(step, errno, look());
    case 'cgroup':
      return new TsboxError('HOST', `enter the control group of the container: ${text(errno)}`, {
        hint: 'from a session in which it may be joined',
        check: 'cgroup-refused',
      });
    case 'lock':
      return new TsboxError(
        'BAD_STATE',
        'the container is running already, or another tsbox is just starting it',
      );
    case 'target':
      return new TsboxError('BAD_STATE', `the container is not running: ${text(errno || ESRCH)}`);
    default:
      return new TsboxError('LAUNCH', `${step || 'the helper'}: ${printed || text(errno)}`);
  }
}

function cloneFailure(errno: number, facts: UsernsFacts): TsboxError {
  if (errno === EAGAIN || errno === ENOMEM)
    return new TsboxError('LAUNCH', `create namespaces: ${text(errno)}`, { hint: 'ulimit -u, free memory' });
  const check = closedBy('clone', errno, facts);
  if (check === 'userns-refused' && errno === EINVAL)
    return new TsboxError('USERNS', `create namespaces: ${text(errno)}`, {
      hint: 'a namespace type is missing in this kernel',
      check: 'namespaces-missing',
    });
  const { reason, ...hint } = CLOSED[check] ?? { reason: text(errno) };
  return new TsboxError('USERNS', `a user namespace cannot be made: ${reason}`, { ...hint, check });
}

function mapFailure(step: string, errno: number, facts: UsernsFacts): TsboxError {
  const check = closedBy('map', errno, facts);
  const { reason, ...hint } = CLOSED[check] ?? { reason: text(errno) };
  return new TsboxError('USERNS', `write ${step} of the new user namespace: ${reason}`, { ...hint, check });
}

function mapperFailure(program: string, printed: string, errno: number): TsboxError {
  return new TsboxError('SUBID', `${program} failed: ${printed || text(errno)}`, {
    hint: 'go on without subordinate ids: --userns single; or mend them',
    check: 'mapper-failed',
  });
}
