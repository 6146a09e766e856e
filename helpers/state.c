/* state.json: the supervisor's record of its container. */
#include "helper.h"

#include <sys/wait.h>

static void member(struct buf *b, const char *name, const char *text)
{
    buf_str(b, ",\"");
    buf_str(b, name);
    buf_str(b, "\":");
    buf_str(b, text);
}

static void quoted(struct buf *b, const char *name, const char *text)
{
    member(b, name, "\"");
    buf_str(b, text);
    buf_str(b, "\"");
}

static void boot_id(char id[40])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, id, 36);
    id[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
}

static unsigned long long start(pid_t pid)
{
    int proc = open_proc(pid, 0);
    unsigned long long ticks = proc < 0 ? 0 : start_of(proc);
    if (proc >= 0)
        close(proc);
    return ticks;
}

static int store(const char *path, const struct buf *b, bool sync)
{
    struct buf temp = { 0 };
    buf_str(&temp, path);
    buf_str(&temp, ".tmp");
    int fd = open(temp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool fine = fd >= 0 && write_all(fd, b->p, b->n) && (!sync || fsync(fd) == 0) && rename(temp.p, path) == 0;
    if (fd >= 0)
        close(fd);
    free(temp.p);
    return fine ? 0 : -1;
}

/*
 * Temp and rename always: a reader never sees half a record. `sync` (fsync) only where the record must outlive a crash of
 * the machine: a running container does not, so its record is worth nothing after one; a container's end is history.
 */
int state_write(const struct request *q, pid_t pid, const char *started, int status, bool ended, bool sync)
{
    static unsigned long long ticks; /* /proc/PID is gone at the end */
    struct buf b = { 0 };
    char id[40], now[32];
    int signal = ended && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    boot_id(id);
    ticks = ended ? ticks : start(pid);
    buf_str(&b, "{\"version\":1");
    quoted(&b, "status", ended ? "exited" : "running");
    member(&b, "pid", num((unsigned)pid));
    member(&b, "start", num(ticks));
    member(&b, "supervisor", num((unsigned)getpid()));
    member(&b, "supervisor_start", num(start(getpid())));
    quoted(&b, "boot", id);
    quoted(&b, "started_at", started);
    quoted(&b, "finished_at", ended ? stamp(now) : "");
    member(&b, "exit_code", num(!ended ? 0 : signal ? 128u + (unsigned)signal : (unsigned)WEXITSTATUS(status)));
    member(&b, "signal", num((unsigned)signal));
    member(&b, "oom", "false");
    buf_str(&b, "}\n");
    int bad = q->state ? store(q->state, &b, sync) : 0;
    free(b.p);
    return bad;
}
