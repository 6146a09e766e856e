/* The barrier. A container that gets hold of /proc/self/exe of the process that starts it (CVE-2019-5736: an entrypoint
 * "#!/proc/self/exe") must not find the installed helper but a copy that nobody can write, which walks the second part. */
#include "helper.h"
#include <sys/mman.h>
enum { READ_MAX = 1 << 20 };
int seal_self(void) {
    struct stat st; AUTO exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("tsbox-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING | MEMFD_EXECUTABLE);
    if (fd < 0 && errno == EINVAL) fd = memfd_create("tsbox-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (exe < 0 || fd < 0 || fstat(exe, &st)) return -1;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, exe, 0);
    if (p == MAP_FAILED || !write_all(fd, p, (size_t)st.st_size) || munmap(p, (size_t)st.st_size)) return -1;
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) ? -1 : fd;
}
/* `join`: the helper is a sealed copy before it comes near a container. What it executed outside belongs to the user namespace
 * outside: not even CAP_SYS_PTRACE in the container reaches into it, which it would if the copy were executed inside. */
void join_sealed(void) {
    char *argv[] = {"tsbox:", "joined", text("%80s", ""), NULL}; int fd = seal_self(); /* room for a name in ps */
    if (fd >= 0) syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
    SAY("failed", "header", "0", text("%d", errno), "seal");
}
/* A file of the image: a FIFO must not hang us, nor a sparse giant fill memory (CVE-2024-9676). 0 or an errno. */
static int read_image_file(int root, const char *path, struct buf *out) {
    struct stat st; ssize_t n = 1; AUTO fd = beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
    out->n = 0;
    if (fd < 0 || fstat(fd, &st)) return errno;
    if (!S_ISREG(st.st_mode)) return EINVAL;
    for (buf_room(out, 4096); n > 0 && out->n <= READ_MAX; buf_room(out, 4096))
        if ((n = read(fd, out->p + out->n, 4096)) > 0) out->n += (size_t)n;
    return n < 0 ? errno : out->n > READ_MAX ? EFBIG : 0;
}
/* The second part of a plan: the frame with plan `resume`, or the end of our parent. */
static _Noreturn void walk_resumed(struct walk *w) {
    struct frame f = {0}; struct pollfd wait[2] = {{CHANNEL, POLLIN, 0}, {w->sync, 0, 0}};
    while (poll(wait, 2, -1) < 0 && errno == EINTR) {}
    if (wait[1].revents) _exit(FAIL);
    errno = frame_read(CHANNEL, &f);
    if (!errno && (!f.n || f.r->n != 2 || strcmp(f.r->f[0].p, "plan") || strcmp(f.r->f[1].p, "resume"))) errno = EPROTO;
    if (errno) walk_fail(w, "header", 0, "resume");
    walk_plan(w, &(struct plan){"resume", f.r + 1, f.n - 1}); _exit(0);
}
/* The walk goes on in the copy; what it has to know comes in a pipe, its environment and descriptors. */
static int become_sealed(struct walk *w) {
    int state[2];
    if (pipe2(state, O_CLOEXEC) || !write_all(state[1], w, sizeof *w)) return -1;
    close_range_of(3, ~0u, CLOSE_CLOEXEC);
    const int keep[] = {state[0], w->sync, w->root, CHANNEL};
    for (int i = 0; i < 4 + KEEPS; i++) fcntl(i < 4 ? keep[i] : w->keep[i - 4], F_SETFD, 0);
    char *none[] = {NULL}, *argv[] = {"tsbox:", "sealed", text("%d", state[0]), text("%s", w->id ? w->id : ""), NULL};
    return (int)syscall(SYS_execveat, w->seal, "", argv, w->env ? w->env : none, AT_EMPTY_PATH);
}
OP(barrier) {
    struct buf b = {0}, file = {0};
    event_open(&b, "prepared");
    for (int i = 0; i < n; i++) {
        char *e = text("%d", read_image_file(w->root, a[i].s, &file));
        event_field(&b, a[i].s, a[i].n), event_field(&b, e, strlen(e)), event_field(&b, file.p, *e == '0' ? file.n : 0);
    }
    event_close(&b);
    for (size_t at = 0, k; at < b.n; at += k) { /* in parts: 'e', the last is 'E' */
        k = b.n - at > PACKET ? PACKET : b.n - at;
        if (!send_packet(w->sync, at + k < b.n ? 'e' : 'E', b.p + at, k, -1)) return -1;
    }
    if (w->seal < 0) walk_resumed(w);
    return become_sealed(w);
}
/* argv: tsbox: sealed N ID. */
void sealed_main(char **argv) {
    struct walk w; AUTO state = atoi(argv[2]);
    if (read(state, &w, sizeof w) != sizeof w) _exit(FAIL);
    w.id = text("%s", argv[3]), w.env = environ; tie_to_parent(); prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    title(w.container ? "init" : "join", w.id); walk_resumed(&w);
}
