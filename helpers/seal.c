/*
 * The barrier. A container that gets hold of /proc/self/exe of the process that starts it (CVE-2019-5736: an entrypoint
 * "#!/proc/self/exe") must not find the installed helper, but a copy that nobody can write: the second part of a plan is
 * walked by that copy.
 */
#include "ops.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#define EXECUTABLE 0x10 /* MFD_EXEC, Linux 6.3 */
#define READ_MAX (1 << 20)

int seal_self(void)
{
    struct stat st;
    int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("tsbox-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING | EXECUTABLE);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("tsbox-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (exe < 0 || fd < 0 || fstat(exe, &st))
        return -1;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, exe, 0);
    if (p == MAP_FAILED || !write_all(fd, p, (size_t)st.st_size))
        return -1;
    munmap(p, (size_t)st.st_size);
    close(exe);
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) ? -1 : fd;
}

/* A file of the image: a FIFO must not hang us, nor a sparse giant fill memory (CVE-2024-9676). Errno, or 0. */
static int read_image_file(int root, const char *path, struct buf *out)
{
    struct stat st;
    ssize_t n = 0;
    out->n = 0;
    int fd = beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
    if (fd < 0)
        return errno;
    int e = fstat(fd, &st) ? errno : !S_ISREG(st.st_mode) ? EINVAL : st.st_size > READ_MAX ? EFBIG : 0;
    for (buf_room(out, 1); !e && out->n <= READ_MAX; out->n += (size_t)n) {
        buf_room(out, 4096);
        n = read(fd, out->p + out->n, 4096);
        if (n <= 0)
            break;
    }
    e = e ? e : n < 0 ? errno : out->n > READ_MAX ? EFBIG : 0;
    close(fd);
    return e;
}

static bool send_event(int sync, const struct buf *b)
{
    bool fine = true;
    for (size_t at = 0, n; fine && at < b->n; at += n) {
        n = b->n - at > PACKET ? PACKET : b->n - at;
        fine = send_packet(sync, at + n < b->n ? 'e' : 'E', b->p + at, n, -1);
    }
    return fine;
}

/* Everything that the second half needs travels in its argument and in descriptors. */
static int become_sealed(struct walk *w)
{
    const int state[] = { w->sync, w->pivoted ? -1 : w->root, w->pivoted, w->console, w->env_set, w->rows, w->cols, (int)w->umask,
                          w->nkeep };
    struct buf b = { 0 };
    char *argv[] = { "tsbox:", "sealed", NULL, (char *)(uintptr_t)(w->id ? w->id : ""), NULL };
    for (size_t i = 0; i < sizeof state / sizeof *state; i++) {
        buf_str(&b, state[i] < 0 ? "-1" : num((unsigned)state[i]));
        buf_str(&b, " ");
    }
    cloexec_from(3);
    for (int i = 0; i < w->nkeep; i++) {
        buf_str(&b, num((unsigned)w->keep[i]));
        buf_str(&b, " ");
        fcntl(w->keep[i], F_SETFD, 0);
    }
    argv[2] = b.p;
    fcntl(w->sync, F_SETFD, 0);
    fcntl(w->channel, F_SETFD, 0);
    if (!w->pivoted && w->root >= 0)
        fcntl(w->root, F_SETFD, 0);
    char *none[] = { NULL };
    return (int)syscall(SYS_execveat, w->seal, "", argv, w->env ? w->env : none, AT_EMPTY_PATH);
}

int op_barrier(struct walk *w, const struct arg *a, int n)
{
    struct buf b = { 0 }, file = { 0 };
    event_open(&b);
    event_field(&b, "prepared", 8);
    for (int i = 0; i < n; i++) {
        int e = read_image_file(w->root, a[i].s, &file);
        event_field(&b, a[i].s, a[i].n);
        event_field(&b, num((unsigned)e), strlen(num((unsigned)e)));
        event_field(&b, file.p, e ? 0 : file.n);
    }
    event_close(&b);
    return send_event(w->sync, &b) ? become_sealed(w) : -1;
}

/* argv: tsbox: sealed STATE ID. Waits for the frame with plan `resume`. */
void sealed_main(char **argv)
{
    long state[9];
    char *p = argv[2];
    struct frame f;
    for (int i = 0; i < 9; i++)
        state[i] = strtol(p, &p, 10);
    struct walk w = { .id = strdup(argv[3]), .channel = CHANNEL, .sync = (int)state[0], .root = (int)state[1], .seal = -1,
                      .pivoted = state[2], .console = state[3], .env_set = state[4], .rows = (int)state[5],
                      .cols = (int)state[6], .umask = (mode_t)state[7], .nkeep = (int)state[8], .env = environ };
    for (int i = 0; i < w.nkeep && i < KEEPS; i++)
        w.keep[i] = (int)strtol(p, &p, 10);
    tie_to_parent();
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    title(w.console ? "init" : "join", w.id);
    if (w.pivoted)
        w.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!poll_in(CHANNEL, w.sync))
        _exit(FAIL);
    errno = frame_read(CHANNEL, &f);
    if (errno || f.n == 0 || f.r[0].n != 2 || strcmp(f.r[0].f[0].p, "plan") || strcmp(f.r[0].f[1].p, "resume"))
        errno = errno ? errno : EPROTO, walk_fail(&w, "header", 0, "resume");
    walk_plan(&w, &(struct plan){ "resume", f.r + 1, f.n - 1 });
    _exit(0);
}
