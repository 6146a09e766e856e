/* What outlives the container: its output as CRI log lines (TIME STREAM F|P TEXT; P: goes on), and state.json. */
#include "helper.h"
/* Now, as 2026-01-02T03:04:05.123456789Z. Years are counted from March, so that a leap day is the last of its year. */
char *stamp(void) {
    static char out[96]; struct timespec t; clock_gettime(CLOCK_REALTIME, &t);
    unsigned day = (unsigned)(t.tv_sec / 86400) + 719468, second = (unsigned)(t.tv_sec % 86400);
    unsigned doe = day % 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
    snprintf(out, sizeof out, "%04u-%02u-%02uT%02u:%02u:%02u.%09luZ", yoe + day / 146097 * 400 + (month < 3), month,
             doy - (153 * mp + 2) / 5 + 1, second / 3600, second / 60 % 60, second % 60, (unsigned long)t.tv_nsec);
    return out;
}
const struct request *log_request;
static const char *nth(char *p, long long i) {
    int n = snprintf(p, PATH_MAX, "%s", log_request->log->s);
    return i ? (void)snprintf(p + n, 24, ".%lld", i), p : p;
}
/* Before it grows over its limit: log becomes log.1, log.1 becomes log.2 …, and the descriptor is a new file's. */
static void rotate(int fd, size_t more) {
    static long long size = -1; static char from[PATH_MAX + 24], to[PATH_MAX + 24]; struct stat st;
    const struct arg *limit = log_request ? log_request->rotate : NULL; long long before = size < 0 && !fstat(fd, &st) ? st.st_size : size;
    size = before + (long long)more;
    if (!limit || !limit->s || before <= 0 || size <= limit->v) return;
    for (long long i = limit[1].v - 1; i > 0; i--) rename(nth(from, i - 1), nth(to, i));
    unlink(nth(from, 0));
    AUTO fresh = open(from, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fresh >= 0 && dup3(fresh, fd, O_CLOEXEC) == fd) size = (long long)more;
}
static void log_flush(int fd, const char *p, size_t n) { if (n) rotate(fd, n), write_all(fd, p, n); }
/* A full disk loses log lines, never the container's output. */
void log_write(int fd, int stream, const char *p, size_t n) {
    static char buffer[16384]; char prefix[64];
    size_t used = 0, head = (size_t)snprintf(prefix, sizeof prefix, "%s %s F ", stamp(), stream ? "stderr" : "stdout");
    while (fd >= 0 && n) {
        const char *end = memchr(p, '\n', n);
        size_t len = end ? (size_t)(end - p) : n, room = sizeof buffer - head - 1; bool whole = end && len <= room;
        if (len > room) len = room;
        if (used + head + len + 1 > sizeof buffer) log_flush(fd, buffer, used), used = 0;
        prefix[head - 2] = whole ? 'F' : 'P'; memcpy(buffer + used, prefix, head);
        memcpy(buffer + used + head, p, len); used += head + len + 1, p += len + whole, n -= len + whole;
        buffer[used - 1] = '\n';
    }
    log_flush(fd, buffer, used);
}
/* One line of the store's journal. */
void journal(const struct request *q, const char *time, const char *what) {
    AUTO fd = q->events->s ? open(q->events->s, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    char *line = text("{\"time\":\"%s\",\"action\":%s,%s\n", time, what, q->events[1].s ? q->events[1].s : "");
    if (fd >= 0) write_all(fd, line, strlen(line));
}
/* Temp and rename: a reader never sees half a record. fsync only where the record must outlive a crash of the machine: a
 * running container does not, and one that its end removes has no use for it; any other's end is history. */
int state_write(const struct request *q, pid_t pid, const char *since, int status, bool ended) {
    static unsigned long long start; /* /proc/PID is gone at the end */
    char boot[40] = "", *temp = text("%s.tmp", q->state->s ? q->state->s : "");
    if (!q->state->s) return 0;
    AUTO id = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    AUTO fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || id < 0 || read(id, boot, 36) < 0) return -1;
    start = ended ? start : start_of(pid);
    char *record = text("{\"version\":1,\"status\":\"%s\",\"pid\":%d,\"start\":%llu,\"supervisor\":%d,\"supervisor_start\":%llu,"
        "\"boot\":\"%s\",\"started_at\":\"%s\",\"finished_at\":\"%s\",\"exit_code\":%d,\"signal\":%d,\"oom\":%s}\n",
        ended ? "exited" : "running", pid, start, getpid(), start_of(getpid()), boot, since, ended ? stamp() : "",
        ended ? docker_status(status) : 0, ended && WIFSIGNALED(status) ? WTERMSIG(status) : 0, cgroup_oom() ? "true" : "false");
    if (!write_all(fd, record, strlen(record)) || (ended && (!q->onexit.n || q->onexit.f[1].n) && fsync(fd)) || rename(temp, q->state->s)) return -1;
    return journal(q, ended ? stamp() : since, ended ? text("\"die\",\"exitCode\":%d", docker_status(status)) : "\"start\""), 0;
}
