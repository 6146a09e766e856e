/**
 * A shell script that builds the package `probe` with rpmbuild and installs it with rpm: files of three owners, a set-user-id file, a set-group-id
 * directory, a device that its script makes. `more`: what the script does before. Prints the package’s name and its files.
 */
export const rpmScript = (more = 'true'): string => `
set -e
mkdir -p /tmp/b /tmp/db
cat >/tmp/b/probe.spec <<'END'
Name: probe
Version: 1
Release: 1
Summary: test
License: none
BuildArch: noarch
%description
test
%install
mkdir -p %{buildroot}/srv/probe/spool
echo mine > %{buildroot}/srv/probe/owned
echo run > %{buildroot}/srv/probe/suid
%files
%attr(0640, games, games) /srv/probe/owned
%attr(4755, mail, mail) /srv/probe/suid
%attr(2775, news, news) %dir /srv/probe/spool
%post -p <lua>
if not os.execute("${more} && chown -R mail:mail /srv/probe/spool && mknod /srv/probe/null c 1 3") then error("script") end
END
rpmbuild --quiet --define '_topdir /tmp/b' -bb /tmp/b/probe.spec 2>/dev/null
rpm --dbpath /tmp/db --initdb
rpm --dbpath /tmp/db -i --nodeps /tmp/b/RPMS/noarch/probe-1-1.noarch.rpm 2>/tmp/rpm.log || { cat /tmp/rpm.log; exit 1; }
rpm --dbpath /tmp/db -q probe
stat -c '%n %a %U' /srv/probe/*
`;
