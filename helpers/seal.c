/*
 * The barrier. A container that gets hold of /proc/self/exe of the process that starts it (CVE-2019-5736: an entrypoint
 * "#!/proc/self/exe") must not find the installed helper but a copy that nobody can write: the second part of a plan is
 * walked by that copy.
 */
#include "helper.h"
#include <sys/mman.h>

#define READ_MAX (1 << 20)

int seal_self(void) {
    struct stat st;
    AUTO exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("tsbox-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING | MEMFD_EXECUTABLE);
    if (fd < 0 && errno == EINVAL) fd = memfd_create("tsbox-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (exe < 0 || fd < 0 || fstat(exe, &st)) return -1;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, exe, 0);
    if (p == MAP_FAILED || !write_all(fd, p, (size_t)st.st_size) || munmap(p, (size_t)st.st_size)) return -1;
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) ? -1 : fd;
}

/* A file of the image: a FIFO must not hang us, nor a sparse giant fill memory (CVE-2024-9676). 0 or an errno. */
static int read_image_file(int root, const char *path, struct buf *out) {
    struct stat st;
    ssize_t n = 1;
    AUTO fd = beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
    out->n = 0;
    if (fd < 0 || fstat(fd, &st)) return errno;
    if (!S_ISREG(st.st_mode)) return EINVAL;
    for (; n > 0 && out->n <= READ_MAX; out->n += n > 0 ? (size_t)n : 0) {
        buf_room(out, 4096);
        n = read(fd, out->p + out->n, 4096);
    }
    return n < 0 ? errno : out->n > READ_MAX ? EFBIG : 0;
}

static bool send_event(int sync, const struct buf *b) {
    for (size_t at = 0, n; at < b->n; at += n) {
        n = b->n - at > PACKET ? PACKET : b->n - at;
        if (!send_packet(sync, at + n < b->n ? 'e' : 'E', b->p + at, n, -1)) return false;
    }
    return true;
}

/* Everything that the second half needs travels in its argument, its environment and descriptors. */
static int become_sealed(struct walk *w) {
    char *state = text("%d %d %d %d %d %d %d %d %d", w->sync, w->pivoted ? -1 : w->root, w->pivoted, w->container,
                       w->env_set, w->rows, w->cols, (int)w->umask, w->nkeep);
    cloexec_from(3);
    for (int i = 0; i < w->nkeep; i++) {
        state = text("%s %d", state, w->keep[i]);
        fcntl(w->keep[i], F_SETFD, 0);
    }
    fcntl(w->sync, F_SETFD, 0);
    fcntl(CHANNEL, F_SETFD, 0);
    if (!w->pivoted && w->root >= 0) fcntl(w->root, F_SETFD, 0);
    char *none[] = {NULL}, *argv[] = {"tsbox:", "sealed", state, text("%s", w->id ? w->id : ""), NULL};
    return (int)syscall(SYS_execveat, w->seal, "", argv, w->env ? w->env : none, AT_EMPTY_PATH);
}

OP(barrier) {
    struct buf b = {0}, file = {0};
    event_open(&b, "prepared");
    for (int i = 0; i < n; i++) {
        char *e = text("%d", read_image_file(w->root, a[i].s, &file));
        event_field(&b, a[i].s, a[i].n);
        event_field(&b, e, strlen(e));
        event_field(&b, file.p, *e == '0' ? file.n : 0);
    }
    event_close(&b);
    return send_event(w->sync, &b) ? become_sealed(w) : -1;
}

/* argv: tsbox: sealed STATE ID. Waits for the frame with plan `resume`, or for the end of our parent. */
void sealed_main(char **argv) {
    long v[9];
    char *p = argv[2];
    struct frame f = {0};
    for (int i = 0; i < 9; i++) v[i] = strtol(p, &p, 10);
    struct walk w = {.id = text("%s", argv[3]), .sync = (int)v[0], .root = (int)v[1], .pivoted = v[2], .container = v[3],
                     .env_set = v[4], .rows = (int)v[5], .cols = (int)v[6], .umask = (mode_t)v[7], .env = environ};
    struct pollfd wait[2] = {{CHANNEL, POLLIN, 0}, {w.sync, 0, 0}};
    for (; w.nkeep < v[8] && w.nkeep < KEEPS; w.nkeep++) w.keep[w.nkeep] = (int)strtol(p, &p, 10);
    tie_to_parent();
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    title(w.container ? "init" : "join", w.id);
    if (w.pivoted) w.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (poll(wait, 2, -1) < 0 && errno == EINTR) {}
    if (wait[1].revents) _exit(FAIL);
    errno = frame_read(CHANNEL, &f);
    if (!errno && (!f.n || f.r->n != 2 || strcmp(f.r->f[0].p, "plan") || strcmp(f.r->f[1].p, "resume"))) errno = EPROTO;
    if (errno) walk_fail(&w, "header", 0, "resume");
    walk_plan(&w, &(struct plan){"resume", f.r + 1, f.n - 1});
    _exit(0);
}
