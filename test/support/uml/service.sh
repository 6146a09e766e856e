#!/bin/sh
# A service of root under systemd in User-mode Linux, once the user's manager is there: runs the suite on the console, and switches off. $1:
# the project, $2: tsbox.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/console 2>&1
chmod 0666 /dev/fuse /dev/net/tun
tree=/mnt/tree
mkdir -p "$tree/bin"
cp /bin/busybox "$tree/bin/"
for name in sh cat dd sleep true; do ln -s busybox "$tree/bin/$name"; done
tar -C "$tree" -cf /mnt/bb.tar .
node "$1/test/support/uml/systemd.mjs" "$2" 1
echo o >/proc/sysrq-trigger
sleep 60
