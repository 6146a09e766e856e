/* Files of a warm container, read and written by a process that is what its commands are: it can do no more than they can. */
#include "serve.h"
static void only_stdio(int sync) { close_range_of(3, (unsigned)sync - 1, 0), close_range_of((unsigned)sync + 1, ~0u, 0); }
static int copy(int from, int to) {
    static char p[65536]; ssize_t n;
    while ((n = read(from, p, sizeof p)) > 0) if (!write_all(to, p, (size_t)n)) return -1;
    return n < 0 ? -1 : 0;
}
static int regular(int fd) {
    struct stat st;
    return fd < 0 || fstat(fd, &st) ? -1 : S_ISREG(st.st_mode) ? 0 : fail(S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
}
/* `get PATH`: to stdout. A FIFO does not hold us up. */
OP(get) {
    only_stdio(w->sync); AUTO fd = open(a[0].s, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return regular(fd) ? -1 : copy(fd, 1);
}
static void make_parents(const char *path) {
    for (char *p = text("%s", path), *slash = p; (slash = strchr(slash + 1, '/')); *slash = '/') *slash = 0, mkdir(p, 0755);
}
/* `put PATH MODE`: from stdin, with what is missing above it; an empty MODE leaves that of a file that is there. */
OP(put) {
    only_stdio(w->sync); make_parents(a[0].s); mode_t mode = a[1].n ? (mode_t)strtoul(a[1].s, NULL, 8) : 0644;
    AUTO fd = open(a[0].s, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
    return regular(fd) || ftruncate(fd, 0) || copy(0, fd) || (a[1].n && fchmod(fd, mode)) ? -1 : 0;
}
