#!/bin/sh
# Makes the image of a Debian with systemd for User-mode Linux: a user "lim" (4242) who lingers, and a service that runs what the kernel's command
# line names. Needs root and the distribution's package server. $1: the image.
set -e
image=$1
root=$(mktemp -d "$(dirname "$image")/.systemd-XXXXXX")
trap 'rm -rf "$root"' EXIT
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,uidmap,login,procps,busybox-static
debootstrap --variant=minbase --include="$packages" "$release" "$root" >/dev/null
echo uml >"$root/etc/hostname"
: >"$root/etc/fstab"
echo 'lim:x:4242:4242::/home/lim:/bin/sh' >>"$root/etc/passwd"
echo 'lim:x:4242:' >>"$root/etc/group"
echo 'lim:!:19000:0:99999:7:::' >>"$root/etc/shadow"
echo 'lim:500000:65536' >>"$root/etc/subuid"
echo 'lim:500000:65536' >>"$root/etc/subgid"
mkdir -p "$root/home/lim" "$root/host" "$root/var/lib/systemd/linger"
chown 4242:4242 "$root/home/lim"
touch "$root/var/lib/systemd/linger/lim"
units=$root/etc/systemd/system
for unit in apt-daily.timer apt-daily-upgrade.timer getty@tty1.service e2scrub_all.timer fstrim.timer; do
  ln -sf /dev/null "$units/$unit"
done
cat >"$units/suite.service" <<'UNIT'
[Unit]
After=user@4242.service systemd-logind.service dbus.service
Wants=user@4242.service
[Service]
Type=oneshot
ExecStartPre=/bin/mount -t hostfs none /host
ExecStart=/bin/sh /usr/local/bin/suite
UNIT
mkdir -p "$units/multi-user.target.wants"
ln -s ../suite.service "$units/multi-user.target.wants/suite.service"
cat >"$root/usr/local/bin/suite" <<'SUITE'
read -r line </proc/cmdline
for word in $line; do
  case $word in
    suite.project=*) project=${word#*=} ;;
    suite.tsbox=*) tsbox=${word#*=} ;;
  esac
done
exec /bin/sh "$project/test/support/uml/service.sh" "$project" "$tsbox"
SUITE
truncate -s 1200M "$root.img"
mkfs.ext4 -q -F -O ^has_journal -d "$root" "$root.img"
mv "$root.img" "$image"
