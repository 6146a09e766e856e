#!/bin/busybox sh
# shellcheck shell=dash
# Pid 1 of a virtual machine whose only program is the suite: mounts what a system has, delegates a control group to a user, runs a
# program of Node as that user in it, and switches the machine off.
/bin/busybox --install -s /bin
export PATH=/usr/bin:/bin
# whoever made the disk, its files are root's here
chown -R 0:0 /bin /etc /home /lib* /suite /tmp /usr /*.ko
chown 0:0 /
chmod 4755 /usr/bin/newuidmap /usr/bin/newgidmap
chmod 755 / /home
chmod 1777 /tmp
mkdir /home/u
chown 1000:1000 /home/u
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t ext4 /dev/nvme1n1 /folding
mkdir /folding/dir
/usr/bin/chattr +F /folding/dir
chown 1000:1000 /folding/dir
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
insmod /overlay.ko
insmod /fuse.ko
chmod 666 /dev/fuse
ip link set lo up
group=/sys/fs/cgroup/user
for controller in cpu memory pids; do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
mkdir "$group"
chown 1000 "$group" "$group/cgroup.procs" "$group/cgroup.subtree_control" "$group/cgroup.threads"
echo $$ >"$group/cgroup.procs"
/usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups env -i PATH="$PATH" HOME=/home/u USER=u node /suite/test/support/vm/strict.mjs
echo o >/proc/sysrq-trigger
sleep 60
