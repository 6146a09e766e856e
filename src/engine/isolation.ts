import { ANNOTATION } from '../oci/runtime-spec.ts';
import { capabilityBit, resolveCapabilities } from '../runtime/capabilities.ts';
import type { ContainerRecord } from '../store/container-record.ts';

/**
 * Which of the walls behind the walls a container has (src/runtime/isolation.ts). Who has been given the right to mount cannot
 * be under Landlock, which forbids mounting.
 */
export function isolationAnnotations(record: ContainerRecord): Record<string, string> {
  // Landlock would let it neither signal nor trace the processes of the other one, which it is there for.
  const among = record.namespaces?.pid?.startsWith('container:') ?? false;
  const plain = record.seccomp === 'default' && !mayMount(record);
  return {
    ...(record.strict
      ? { [ANNOTATION.landlock]: 'must' }
      : plain && !among && { [ANNOTATION.landlock]: 'try' }),
    ...((plain || record.strict) && { [ANNOTATION.nestedUserns]: 'off' }),
    // The default filter refuses every call about keys, and a keyring counts against the user's quota of 200.
    ...(record.seccomp !== 'default' && { [ANNOTATION.keyring]: 'true' }),
  };
}

function mayMount({ capAdd: add, capDrop: drop, privileged, nestedUserns }: ContainerRecord): boolean {
  return (
    nestedUserns === true ||
    (resolveCapabilities({ add, drop, privileged }) & capabilityBit('SYS_ADMIN')) !== 0n
  );
}
