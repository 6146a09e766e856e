import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { TsboxError } from '../errors.ts';

const { EAGAIN, EINVAL, ENOSPC, EPERM, ESRCH } = constants.errno;
/** "Too many users": the limit of nested user namespaces; Node has no name for it. */
const EUSERS = 87;
const text = (errno: number): string => getSystemErrorMap().get(-errno)?.[1] ?? `errno ${errno}`;

/** A step of the helper before any plan: `clone`, `uidmap`, `newuidmap\n<what it printed>`, `lock` … */
export function headerFailure(detail: string, errno: number): TsboxError {
  const [step = '', ...rest] = detail.split('\n');
  const printed = rest.join(' ').trim();
  switch (step) {
    case 'clone':
      return cloneFailure(errno);
    case 'newuidmap':
    case 'newgidmap':
      return mapperFailure(step, printed, errno);
    case 'uidmap':
    case 'gidmap':
    case 'setgroups':
      return new TsboxError('USERNS', `write ${step} of the new user namespace: ${text(errno)}`, {
        hint: 'tsbox doctor',
      });
    case 'cgroup':
      return new TsboxError('HOST', `enter the control group of the container: ${text(errno)}`, {
        hint: 'from a session in which it may be joined; tsbox doctor',
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

function cloneFailure(errno: number): TsboxError {
  if (errno === ENOSPC || errno === EUSERS) {
    return new TsboxError(
      'USERNS',
      'no further user namespace: the limit of this machine is reached or namespaces are disabled',
      {
        hint: 'the administrator can raise it with: sysctl -w user.max_user_namespaces=15000',
      },
    );
  }
  if (errno === EPERM) {
    return new TsboxError('USERNS', 'the kernel refuses a user namespace to this user', {
      hint: 'tsbox doctor tells which switch: kernel.unprivileged_userns_clone, AppArmor, or a seccomp filter of an outer container',
    });
  }
  const hint =
    errno === EINVAL ? 'a namespace type is missing in this kernel: tsbox doctor' : 'ulimit -u, free memory';
  return new TsboxError(errno === EAGAIN ? 'LAUNCH' : 'USERNS', `create namespaces: ${text(errno)}`, {
    hint,
  });
}

function mapperFailure(program: string, printed: string, errno: number): TsboxError {
  return new TsboxError('SUBID', `${program} failed: ${printed || text(errno)}`, {
    hint: 'go on without subordinate ids: --userns single; or mend them: tsbox doctor, docs/host-setup.md',
  });
}
