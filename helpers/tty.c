/* A pty of the container's own devpts. */
#include "ops.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/*
 * The slave comes from the master (TIOCGPTPEER), not from a name that could have been replaced (CVE-2025-52565), and the
 * master only from a real devpts.
 */
static int open_pty(struct walk *w, int *slave)
{
    struct winsize size = { .ws_row = (unsigned short)w->rows, .ws_col = (unsigned short)w->cols };
    struct statfs fs;
    struct stat st;
    int unlock = 0, fd = beneath(w->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, B_NOLINKS, NULL);
    if (fd < 0 || fstatfs(fd, &fs) || fstat(fd, &st))
        return -1;
    errno = ENODEV;
    if (fs.f_type != MAGIC_DEVPTS || st.st_rdev != makedev(5, 2))
        return -1;
    if (ioctl(fd, TIOCSPTLCK, &unlock) || ioctl(fd, TIOCSWINSZ, &size))
        return -1;
    *slave = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return *slave < 0 ? -1 : fd;
}

static int bind_console(struct walk *w, int slave)
{
    int fd = beneath(w->root, "/dev/console", O_PATH, B_NOLINKS, NULL);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    int bad = bind_at(slave, fd, 0, w->root, "/dev/console"), e = errno;
    close(fd);
    errno = e;
    return bad;
}

int op_tty(struct walk *w, const struct arg *a, int n)
{
    int slave, master = open_pty(w, &slave);
    (void)a, (void)n;
    if (master < 0 || !send_packet(w->sync, 't', NULL, 0, master))
        return -1;
    close(master);
    if (getsid(0) != getpid() && setsid() < 0)
        return -1;
    if (ioctl(slave, TIOCSCTTY, 0) || (w->console && bind_console(w, slave)))
        return -1;
    return dup2(slave, 0) < 0 || dup2(slave, 1) < 0 || dup2(slave, 2) < 0 || close(slave);
}
