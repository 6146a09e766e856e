#!/bin/sh
# Run by root in a mount namespace of its own: shows cgroup v2 alone, whatever the machine has, starts the systemd manager of a user in one group
# that is the user's, and runs a command in another. $1: uid, $2: gid, then the command.
uid=$1 gid=$2
shift 2
umount -R -l /sys/fs/cgroup
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup || exit 1
mount -t tmpfs run /run
mkdir -p /run/systemd/system "/run/user/$uid"
chmod 0700 "/run/user/$uid"
group=/sys/fs/cgroup/tsbox-bench-$$
mkdir -p "$group/manager" "$group/session"
for dir in "$group" "$group/manager" "$group/session"; do
  chown "$uid" "$dir" "$dir/cgroup.procs" "$dir/cgroup.subtree_control" "$dir/cgroup.threads"
done
chown "$uid:$gid" "/run/user/$uid"
become="setpriv --reuid=$uid --regid=$gid --clear-groups"
if [ -x /lib/systemd/systemd ]; then
  {
    echo 0 >"$group/manager/cgroup.procs"
    exec $become env XDG_RUNTIME_DIR="/run/user/$uid" /lib/systemd/systemd --user --unit=basic.target >/dev/null 2>&1
  } &
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -S "/run/user/$uid/systemd/private" ] && break
    sleep 0.25
  done
fi
echo 0 >"$group/session/cgroup.procs"
$become "$@"
status=$?
echo 0 >/sys/fs/cgroup/cgroup.procs
echo 1 >"$group/cgroup.kill"
wait
find "$group" -depth -type d -exec rmdir {} \;
exit $status
