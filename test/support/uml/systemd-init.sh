#!/bin/sh
# Pid 1 of a User-mode Linux until systemd is: the machine's own files, read-only, with a disk of our own over /etc, /var and /tmp, on which a user
# "lim" (4242) lingers and the only unit that is wanted runs the suite. Words of the kernel's command line: suite.project, suite.tsbox.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in fs/overlayfs/overlay fs/fuse/fuse drivers/net/tun; do
  busybox insmod /usr/lib/uml/modules/*/kernel/"$module".ko
done
chmod 0666 /dev/fuse /dev/net/tun
mount -t ext4 /dev/ubda /mnt
for name in etc var tmp; do
  mkdir "/mnt/$name" "/mnt/$name.work"
  mount -t overlay -o "lowerdir=/$name,upperdir=/mnt/$name,workdir=/mnt/$name.work" "$name" "/$name"
done
chmod 1777 /mnt/tmp
read -r line </proc/cmdline
for word in $line; do
  case $word in
    suite.project=*) project=${word#*=} ;;
    suite.tsbox=*) tsbox=${word#*=} ;;
  esac
done
# Nothing that the machine itself would start, mount or wait for.
rm -rf /etc/systemd/system /etc/systemd/user
units=/etc/systemd/system
mkdir -p "$units" /etc/systemd/user /var/lib/systemd/linger
: >/etc/fstab
echo uml >/etc/hostname
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
{ grep -v '^lim:' /etc/passwd && echo 'lim:x:4242:4242::/mnt/home:/bin/sh'; } >/mnt/passwd
cat /mnt/passwd >/etc/passwd
echo 'lim:x:4242:' >>/etc/group
echo 'lim:!:19000:0:99999:7:::' >>/etc/shadow
echo 'lim:500000:65536' >/etc/subuid
echo 'lim:500000:65536' >/etc/subgid
mkdir /mnt/home
chown 4242:4242 /mnt/home
touch /var/lib/systemd/linger/lim
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket \
  systemd-hwdb-update.service systemd-pstore.service systemd-binfmt.service systemd-sysctl.service systemd-random-seed.service \
  systemd-modules-load.service systemd-timesyncd.service systemd-resolved.service systemd-networkd.service systemd-update-utmp.service \
  systemd-tmpfiles-setup-dev.service systemd-tmpfiles-setup.service systemd-tmpfiles-clean.timer systemd-sysusers.service \
  modprobe@.service sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount \
  systemd-journal-flush.service systemd-machine-id-commit.service systemd-remount-fs.service; do
  ln -s /dev/null "$units/$unit"
done
cat >"$units/suite.target" <<'UNIT'
[Unit]
Requires=dbus.socket systemd-logind.service user@4242.service suite.service
UNIT
cat >"$units/suite.service" <<UNIT
[Unit]
After=user@4242.service systemd-logind.service dbus.service
[Service]
Type=oneshot
ExecStart=/bin/sh $project/test/support/uml/service.sh $project $tsbox
UNIT
# A file such as /.dockerenv of the machine does not make this a container (systemd's CONTAINER_INTERFACE): its words on the command line count.
exec env container= /lib/systemd/systemd
