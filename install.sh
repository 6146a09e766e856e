#!/bin/sh
# Sets tsbox up for the user who runs it: checks the machine, builds, links the command. See --help.
# Running it again is harmless; with everything in place it needs neither network nor privileges.
set -eu

usage() {
  cat <<'TEXT'
usage: ./install.sh [--prefix DIR] [--no-packages] [--node]
       ./install.sh --uninstall [--purge] [--prefix DIR]

  --prefix DIR    link the command as DIR/bin/tsbox, manual and completion below DIR/share (default: ~/.local)
  --no-packages   do not install missing packages, only name them
  --node          run on Node.js, even where the single-file executable is there
  --uninstall     remove the links and what was built; containers and images stay
  --purge         with --uninstall: remove containers, images and volumes too
TEXT
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
prefix=${HOME:?}/.local
action=install packages=yes purge=no kind=any
least_node=20.11

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
have() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -gt 1 ] || fail '--prefix needs a directory'; prefix=$2; shift ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --no-packages) packages=no ;;
    --node) kind=node ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "unknown argument: $1" ;;
  esac
  shift
done
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
[ "$purge" = no ] || [ "$action" = uninstall ] || fail '--purge goes with --uninstall'

# --- which program ---------------------------------------------------------------------------------------------------

# The single-file executable needs neither Node.js nor a compiler: the one of a release lies beside this script, the other is
# what `npm run build:exe` makes, good for as long as nothing that goes into it has changed.
find_exe() {
  [ "$kind" != node ] || return 1
  if [ -x "$here/tsbox" ]; then exe=$here/tsbox; else
    case $(uname -m) in x86_64 | amd64) arch=x64 ;; aarch64 | arm64) arch=arm64 ;; *) return 1 ;; esac
    exe=$here/dist/exe/tsbox-linux-$arch
    [ -x "$exe" ] || return 1
    if [ -n "$(changed_since "$exe")" ]; then
      say "Not used, since the sources are newer: $exe (npm run build:exe makes it anew)"
      return 1
    fi
  fi
  "$exe" --version >/dev/null 2>&1 && return
  say "Not used, since it does not run on this machine: $exe"
  return 1
}

# The first source that is newer than a file.
changed_since() {
  find "$here/src" "$here/helpers" "$here/package.json" -type f ! -name '*.o' ! -path '*/helpers/build/*' -newer "$1" 2>/dev/null |
    head -n 1
}

choose_program() {
  if find_exe; then program=$exe; return; fi
  exe=
  program=$here/dist/tsbox.cjs
  [ "$action" = uninstall ] || [ -d "$here/src" ] || [ -f "$program" ] || fail 'nothing here runs on this machine: take the release for its architecture'
}

# --- what the machine has -------------------------------------------------------------------------------------------

node_works() { have node && node -e 'const [a, b] = process.versions.node.split(".").map(Number);
  const [c, d] = process.argv[1].split(".").map(Number); process.exit(a > c || (a === c && b >= d) ? 0 : 1)' "$least_node"; }

# The helper is linked statically: on some systems the static C library is a package of its own.
cc_works() {
  have cc || return 1
  probe=$(mktemp -d) || return 1
  echo 'int main(void) { return 0; }' >"$probe/probe.c"
  status=0
  cc -static -o "$probe/probe" "$probe/probe.c" 2>/dev/null || status=1
  rm -rf "$probe"
  return "$status"
}

has_thing() {
  case $1 in
    node) node_works ;;
    npm) [ -d "$here/node_modules/esbuild" ] || is_built || have npm ;;
    cc) is_built || cc_works ;;
    make) is_built || have make ;;
    *) have "$1" ;;
  esac
}

missing_things() {
  if [ -n "$exe" ]; then tools=; else tools='node npm cc make'; fi
  for thing in $tools slirp4netns fuse-overlayfs newuidmap ip nft; do
    has_thing "$thing" || printf '%s ' "$thing"
  done
}

# Built, and nothing that goes into the build has changed since.
is_built() {
  [ -f "$here/dist/tsbox.cjs" ] && [ -f "$here/dist/index.js" ] && [ -f "$here/dist/man/man1/tsbox.1" ] && [ -d "$here/dist/completions" ] && [ -x "$here/dist/tsbox-helper" ] || return 1
  [ -f "$here/dist/.built" ] && [ -z "$(changed_since "$here/dist/.built")" ]
}

# --- packages --------------------------------------------------------------------------------------------------------

find_manager() {
  for manager in apt-get dnf apk pacman zypper; do
    have "$manager" && { printf '%s' "$manager"; return; }
  done
}

# The package of a thing; the names differ between the families.
package_of() {
  case "$1:$2" in
    *:node) case $1 in zypper) echo nodejs20 ;; *) echo nodejs ;; esac ;;
    *:npm) case $1 in zypper) echo npm20 ;; dnf) echo nodejs-npm ;; *) echo npm ;; esac ;;
    apt-get:cc) echo gcc libc6-dev linux-libc-dev ;;
    dnf:cc) echo gcc glibc-static ;;
    apk:cc) echo gcc musl-dev linux-headers ;;
    zypper:cc) echo gcc glibc-devel-static ;;
    pacman:cc) echo gcc ;;
    apt-get:newuidmap) echo uidmap ;;
    dnf:newuidmap) echo shadow-utils ;;
    apk:newuidmap) echo shadow-uidmap shadow-subids ;;
    *:newuidmap) echo shadow ;;
    dnf:ip) echo iproute ;;
    *:ip) echo iproute2 ;;
    *:nft) echo nftables ;;
    *) echo "$2" ;;
  esac
}

install_command() {
  names=
  for thing in $2; do names="$names $(package_of "$1" "$thing")"; done
  case $1 in
    apt-get) echo "apt-get install -y --no-install-recommends$names" ;;
    dnf) echo "dnf install -y$names" ;;
    apk) echo "apk add$names" ;;
    pacman) echo "pacman -S --needed --noconfirm$names" ;;
    zypper) echo "zypper --non-interactive install$names" ;;
  esac
}

# How this user can become root: nothing to add, `sudo`, or not at all. sudo may ask for a password only on a terminal.
root_prefix() {
  if [ "$(id -u)" = 0 ]; then echo env
  elif have sudo && sudo -n true 2>/dev/null; then echo 'sudo -n'
  elif have sudo && [ -t 0 ] && [ -t 2 ]; then echo sudo
  else return 1; fi
}

install_packages() {
  manager=$(find_manager)
  [ -n "$manager" ] || return 1
  as_root=$(root_prefix) || return 1
  command=$(install_command "$manager" "$1")
  say "Installing: $command"
  # shellcheck disable=SC2086 # both are lists of words
  if [ "$manager" = apt-get ]; then
    $as_root env DEBIAN_FRONTEND=noninteractive $command </dev/null >/dev/null 2>&1 || {
      $as_root apt-get update </dev/null >/dev/null && $as_root env DEBIAN_FRONTEND=noninteractive $command </dev/null >/dev/null
    }
  else
    $as_root $command >/dev/null
  fi
}

# --- subordinate ids -------------------------------------------------------------------------------------------------

has_subids() {
  user=$(id -un)
  for file in /etc/subuid /etc/subgid; do
    grep -Eq "^($user|$(id -u)):" "$file" 2>/dev/null || return 1
  done
}

# The command that gives this user 65536 ids behind the last range in use.
subid_command() {
  first=$(awk -F: '{ end = $2 + $3; if (end > max) max = end } END { print (max > 100000 ? max : 100000) }' \
    /etc/subuid /etc/subgid 2>/dev/null) || first=100000
  last=$((first + 65535))
  echo "usermod --add-subuids $first-$last --add-subgids $first-$last $(id -un)"
}

# --- the steps -------------------------------------------------------------------------------------------------------

check_machine() {
  missing=$(missing_things)
  if [ -n "$missing" ] && [ "$packages" = yes ]; then
    install_packages "$missing" || true
    missing=$(missing_things)
  fi
  wanted=
  if [ -n "$missing" ]; then
    say "Missing: $missing"
    manager=$(find_manager)
    if [ -n "$manager" ]; then wanted=$(install_command "$manager" "$missing"); fi
  fi
  if [ "$(id -u)" != 0 ] && ! has_subids; then
    say "No subordinate ids for $(id -un): containers get one user id, which is enough for most work."
    wanted="${wanted:+$wanted && }$(subid_command)"
  fi
  if [ -n "$wanted" ]; then say "For the administrator: $wanted"; fi
  for thing in $missing; do
    case $thing in
      node) fail "Node.js $least_node or newer is needed (found: $(node --version 2>/dev/null || echo none)); install it and run this again" ;;
      npm | cc | make) fail "tsbox cannot be built without $thing" ;;
    esac
  done
}

build() {
  if [ -n "$exe" ]; then say "Using the single-file executable $exe"; return; fi
  if is_built; then say 'Built already.'; return; fi
  cd "$here"
  if [ ! -d node_modules/esbuild ]; then
    say 'Fetching packages (npm ci) ...'
    npm ci --no-audit --no-fund --loglevel=error
    : >node_modules/.from-install-sh
  fi
  say 'Building ...'
  make -s -C helpers
  npm run -s build:js
  npm run -s build:man
  # types are for programs that import tsbox; without the compiler the command works all the same
  if [ -x node_modules/.bin/tsc ]; then npm run -s build:types || say 'The type declarations could not be made.'; fi
  : >dist/.built
}

link_command() {
  target=$prefix/bin/tsbox
  mkdir -p "$prefix/bin"
  if [ -e "$target" ] && [ ! -L "$target" ]; then fail "$target is there and is not a link of ours"; fi
  ln -sfn "$program" "$target"
  case ":$PATH:" in
    *":$prefix/bin:"*) command=tsbox ;;
    *)
      command=$target
      say "Note: $prefix/bin is not in your PATH; for new shells: echo 'export PATH=\"$prefix/bin:\$PATH\"' >> ~/.profile"
      ;;
  esac
}

# A release has the manual and the completion scripts beside this script.
texts() { if [ -d "$here/man/man1" ]; then echo "$here"; else echo "$here/dist"; fi; }

# `man` finds DIR/share/man when DIR/bin is in PATH; bash and fish look for completion below ~/.local/share and /usr/local/share.
# A file that is there and not ours stays.
link_texts() {
  from=$(texts)
  for file in "$from"/man/man1/*.1 "$from"/completions/*/*/*tsbox*; do
    [ -f "$file" ] || continue # an executable may have been built without them
    place=${file#"$from"/}
    target=$prefix/share/${place#completions/}
    [ -d "${target%/*}" ] || mkdir -p "${target%/*}"
    if [ ! -e "$target" ] || [ -L "$target" ]; then ln -sfn "$file" "$target"; fi
  done
}

unlink_texts() {
  for target in "$prefix"/share/man/man1/tsbox*.1 "$prefix/share/bash-completion/completions/tsbox" \
    "$prefix/share/zsh/site-functions/_tsbox" "$prefix/share/fish/vendor_completions.d/tsbox.fish"; do
    if [ -L "$target" ]; then
      case $(readlink "$target") in "$(texts)"/*) rm -f "$target" ;; esac
    fi
  done
}

# Started through sudo in somebody's clone: packages as root, the rest as that person.
hand_over() {
  if [ "$(id -u)" != 0 ] || [ "${SUDO_USER:-root}" = root ] || [ -O "$here" ]; then return; fi
  if [ "$packages" = yes ]; then
    missing=$(missing_things)
    if [ -n "$missing" ]; then install_packages "$missing" || true; fi
  fi
  home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
  if [ "$prefix" = "$HOME/.local" ]; then prefix=$home/.local; fi
  if [ "$kind" = node ]; then set -- --node; else set --; fi
  exec sudo -H -u "$SUDO_USER" "$here/install.sh" --no-packages --prefix "$prefix" "$@"
}

install() {
  choose_program
  hand_over
  check_machine
  build
  link_command
  link_texts
  cat <<TEXT

tsbox is ready: $prefix/bin/tsbox

  $command run --rm host sh -c 'echo hello from \$(hostname), uid \$(id -u)'    no download: a copy-on-write view of this machine
  $command run -it alpine sh                                                  any image of any registry
  $command doctor                                                             what works here, and what an administrator could add
TEXT
}

store_dir() {
  if [ -n "${TSBOX_ROOT:-}" ]; then echo "$TSBOX_ROOT"
  elif [ "$(id -u)" = 0 ]; then echo /var/lib/tsbox
  else echo "${XDG_DATA_HOME:-$HOME/.local/share}/tsbox"; fi
}

runtime_dir() {
  if [ -n "${TSBOX_RUNTIME_DIR:-}" ]; then echo "$TSBOX_RUNTIME_DIR"
  elif [ -n "${XDG_RUNTIME_DIR:-}" ] && [ -O "$XDG_RUNTIME_DIR" ]; then echo "$XDG_RUNTIME_DIR/tsbox"
  elif [ "$(id -u)" = 0 ]; then echo /run/tsbox
  else echo "/tmp/tsbox-$(id -u)"; fi
}

# Where the executable keeps its helper.
cache_dir() {
  if [ "$(id -u)" = 0 ]; then echo /var/cache/tsbox
  else echo "${XDG_CACHE_HOME:-$HOME/.cache}/tsbox"; fi
}

# Files of containers belong to subordinate ids: tsbox itself can remove them, or a user namespace with the same ids.
purge_store() {
  store=$(store_dir)
  [ -d "$store" ] || return 0
  bin=$program
  if [ -x "$bin" ]; then
    for id in $("$bin" ps -aq 2>/dev/null); do "$bin" rm -f "$id" >/dev/null || true; done
    for id in $("$bin" images -q 2>/dev/null | sort -u); do "$bin" rmi -f "$id" >/dev/null || true; done
  fi
  rm -rf "$store" 2>/dev/null || unshare --user --map-auto --map-root-user rm -rf "$store" 2>/dev/null ||
    unshare --user --map-root-user rm -rf "$store" || fail "cannot remove $store"
  rm -rf "$(runtime_dir)"
  say "Removed $store"
}

is_our_link() {
  [ -L "$1" ] || return 1
  case $(readlink "$1") in "$here/tsbox" | "$here/dist/tsbox.cjs" | "$here/dist/exe/tsbox-linux-"*) ;; *) return 1 ;; esac
}

uninstall() {
  choose_program
  target=$prefix/bin/tsbox
  if [ "$purge" = yes ]; then purge_store; fi
  if is_our_link "$target"; then
    rm -f "$target"
    say "Removed $target"
  fi
  unlink_texts
  rm -f "$(cache_dir)"/helper-* "$(cache_dir)"/koffi-*
  if [ -d "$here/src" ]; then
    if [ -f "$here/node_modules/.from-install-sh" ]; then rm -rf "$here/node_modules"; fi
    rm -rf "$here/dist" "$here/helpers/build"
    say 'Removed what was built.'
  fi
  store=$(store_dir)
  if [ -d "$store" ]; then say "Containers and images are still in $store (./install.sh --uninstall --purge removes them)"; fi
}

"$action"
