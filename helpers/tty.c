/* A pty of the container's own devpts. */
#include "helper.h"
/* The slave comes from the master (TIOCGPTPEER), not from a name that could have been replaced (CVE-2025-52565), and the
 * master only from a real devpts. The master may be non-blocking: its file is the supervisor's alone. */
OP(tty) {
    struct winsize size = {.ws_row = (unsigned short)w->rows, .ws_col = (unsigned short)w->cols}; int unlock = 0;
    struct statfs fs; struct stat st;
    AUTO master = beneath(w->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, B_NOLINKS, NULL);
    if (master < 0 || fstatfs(master, &fs) || fstat(master, &st)) return -1;
    if (fs.f_type != MAGIC_DEVPTS || st.st_rdev != makedev(5, 2)) return fail(ENODEV);
    if (ioctl(master, TIOCSPTLCK, &unlock) || ioctl(master, TIOCSWINSZ, &size)) return -1;
    AUTO slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || !send_packet(w->sync, 't', NULL, 0, master)) return -1;
    if ((getsid(0) != getpid() && setsid() < 0) || ioctl(slave, TIOCSCTTY, 0)) return -1;
    AUTO console = w->container ? beneath(w->root, "/dev/console", O_PATH, B_NOLINKS, NULL) : -1;
    if (console >= 0 && bind_at(slave, console, 0, w->root, "/dev/console")) return -1;
    return dup2(slave, 0) < 0 || dup2(slave, 1) < 0 || dup2(slave, 2) < 0;
}
