#!/bin/sh
# Pid 1 of a User-mode Linux that boots on the machine's own files: mounts what a system has, delegates a control group to one
# user, runs a program as that user in it, and ends. Words of the kernel's command line: tsbox.uid, tsbox.run.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
for module in fs/overlayfs/overlay fs/fuse/fuse drivers/net/tun; do
  busybox insmod /usr/lib/uml/modules/*/kernel/"$module".ko
done
chmod 0666 /dev/fuse /dev/net/tun
read -r line </proc/cmdline
for word in $line; do
  case $word in
    tsbox.uid=*) uid=${word#*=} ;;
    tsbox.run=*) run=${word#*=} ;;
  esac
done
# /tmp, where the scripts may be, stays the machine's: home, store and sockets are on a disk of our own
mount -t ext4 /dev/ubda /mnt
mkdir /mnt/home
chown "$uid" /mnt/home
group=/sys/fs/cgroup/user
for controller in cpu io memory pids; do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
mkdir "$group"
chown "$uid" "$group" "$group/cgroup.procs" "$group/cgroup.subtree_control" "$group/cgroup.threads"
echo $$ >"$group/cgroup.procs"
setpriv --reuid "$uid" --regid "$uid" --clear-groups env -i PATH="$PATH" HOME=/mnt/home node "$run"
echo o >/proc/sysrq-trigger
sleep 60
