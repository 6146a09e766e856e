/* Operations: each takes its converted fields (a[0], a[1] …; n of them) and returns 0, or -1 with errno. */
#ifndef TSBOX_OPS_H
#define TSBOX_OPS_H

#include "helper.h"

#define OPERATIONS(X) \
    X(private, "") X(unshare, "d") X(join, "d") X(root, "s") X(bindroot, "s") X(chdir, "s") \
    X(mkdir, "sodd") X(file, "so") X(symlink, "ss") X(write, "sbo") \
    X(mount, "sssdss") X(hostmount, "sssds") X(bind, "ssds") X(hostbind, "ssd") X(fuse, "ss") \
    X(mask, "s") X(readonly, "s") X(rootreadonly, "") X(pivot, "") \
    X(hostname, "s") X(domainname, "s") X(loopback, "") X(procwrite, "sb") X(oomscore, "s") \
    X(rlimit, "ddd") X(umask, "o") X(tty, "") X(session, "") X(barrier, "*s") X(owner, "dd") \
    X(bound, "x") X(ids, "dd*d") X(nonewprivs, "") X(seccomp, "b") X(caps, "xxxx") X(env, "*s") \
    X(init, "") X(exec, "ss*s") X(rmtree, "s") X(chown, "sdd")

#define DECLARE(name, format) int op_##name(struct walk *w, const struct arg *a, int n);
OPERATIONS(DECLARE)
#undef DECLARE

#endif
