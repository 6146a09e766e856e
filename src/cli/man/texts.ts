type Row = readonly [name: string, what: string];

/** What tsbox(1) says that belongs to no command. A test compares the variables with docs/state.md. */
export const INTRODUCTION: readonly string[] = [
  "tsbox pulls, builds and runs container images as a normal user. There is no daemon, nothing runs as root on the machine, nothing is left behind when a command has ended. The commands, their flags, their output and their exit statuses are docker's; what differs is in docs/docker-differences.md.",
  "The image 'host' is built in: a copy-on-write view of the machine itself, without a download. Nothing that a command does in it changes the machine.",
  "'tsbox doctor' tries every step of a run on this machine and says what is missing; 'tsbox run --explain IMAGE' shows every namespace, mount and system call of a container.",
];

export const STATUS: readonly Row[] = [
  ['0', 'Success.'],
  ['1', 'What was named is not there, is taken, or is in the wrong state.'],
  ['125', 'The command line is wrong, or tsbox itself failed.'],
  ['126, 127', "The container's command cannot be executed; is not there."],
  ['N', "Of run, exec, start -a and attach: the command's own status; 128 + N after signal N."],
];

export const ENVIRONMENT: readonly Row[] = [
  ['TSBOX_ROOT', 'Where images, containers and volumes are kept; as --root.'],
  ['TSBOX_RUNTIME_DIR', 'Where sockets and pids are kept; as --runtime-dir.'],
  ['TSBOX_HELPER', 'The helper program, if it is not beside tsbox.'],
  ['TSBOX_DEBUG', 'Areas to trace, separated by commas: helper, registry … or all.'],
  ['XDG_DATA_HOME', 'The store is in tsbox/ there; default ~/.local/share.'],
  ['XDG_RUNTIME_DIR', 'Sockets and pids are in tsbox/ there; default a private directory below /tmp.'],
  ['XDG_CONFIG_HOME', 'The configuration is tsbox/config.toml there; default ~/.config.'],
];

export const FILES: readonly Row[] = [
  ['~/.config/tsbox/config.toml', 'The configuration; it is only read.'],
  ['~/.local/share/tsbox', 'The store: an OCI image layout, unpacked layers, containers, volumes, networks.'],
  ['~/.docker/config.json', 'Credentials for registries, shared with docker.'],
  ['/etc/subuid, /etc/subgid', 'The ids that the user may give to containers.'],
];
