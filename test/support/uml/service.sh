#!/bin/sh
# A service of root in a root file system with systemd, once the user's manager is there: runs the suite on the console, and
# switches off. $1: the machine's path of the project (below /host), $2: tsbox.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/host/usr/local/bin:/host/usr/bin
exec >/dev/console 2>&1
for module in fs/overlayfs/overlay fs/fuse/fuse drivers/net/tun; do
  busybox insmod /host/usr/lib/uml/modules/*/kernel/"$module".ko
done
chmod 0666 /dev/fuse /dev/net/tun
tree=$(mktemp -d)
mkdir "$tree/bin"
cp /bin/busybox "$tree/bin/"
for name in sh cat dd sleep true; do ln -s busybox "$tree/bin/$name"; done
tar -C "$tree" -cf /tmp/bb.tar .
node "$1/test/support/uml/systemd.mjs" "$2" 1
echo o >/proc/sysrq-trigger
