/* What the parts of the helper share. docs/helper-protocol.md says what they do together. */
#pragma once
#include "sys.h"
#include "cgroup/cgroup.h"
#undef stdin /* the name of a header record */
enum { CHANNEL = 3, SIGNAL_PIPE = 4, SERVICES = 8, KEEPS = 8, FAIL = 125 /* docker's status for errors of its own */, FRAME_MAX = 16 << 20, PACKET = 32768 /* most content of a packet of the session and sync sockets */ };
enum role { SUPERVISE, JOIN, ENTER };
struct buf { char *p; size_t n, cap; };
struct record { struct field { const char *p; uint32_t n; } *f; uint32_t n; }; /* f[].p[f[].n] is NUL */
struct frame { struct record *r; uint32_t n; };
extern struct room { char *p; uint32_t used; } frame_room; /* p: shared memory for the next frame; NULL: of its own */
struct arg { const char *s; uint32_t n; long long v; }; /* a field, and its value where the format says number */
struct plan { const char *name; struct record *r; uint32_t n; };
/* Header records: name and format of the fields. .s is NULL where there was no such record. */
#define HEADERS(X) \
    X(version, "s") X(id, "s") X(cwd, "s") X(clone, "d") X(target, "dd") X(lock, "s") X(state, "s") X(log, "s") \
    X(socket, "s") X(front, "s") X(tty, "dd") X(detachkeys, "b") X(uidmapper, "s") X(gidmapper, "s") X(setgroups, "s") \
    X(stdin, "s") X(uidmap, "ddd") X(gidmap, "ddd") X(keepfd, "d") X(rotate, "dd") X(events, "ss") X(early, "s") X(holder, "ssbb") X(inside, "s") X(cgroup, "s")
#define MEMBER(name, format) struct arg name[sizeof format - 1];
struct request {
    HEADERS(MEMBER)
    struct frame frame; struct record onexit;
    char *uidmaps, *gidmaps;          /* all lines, the text for /proc/PID/uid_map */
    int keep[KEEPS], nkeep, nservice; /* keep: unused ones are -1 */
    struct service { struct plan plan; bool ready, fuse, early; } service[SERVICES];
    struct plan init;
    bool barrier;
};
struct walk { /* one walk over a plan, in the process that the plan is about */
    const char *id, *detail;
    int sync, root, seal, rows, cols, keep[KEEPS];
    bool pivoted, container, service, env_set; /* container: pid 1 of one, not a process that joins */
    unsigned long long target, start;          /* the process whose namespaces `join` enters */
    mode_t umask;
    char **env; struct plan asked; /* asked: of a command of a warm container (sandbox/) */
};
/* Operations: name and format. Each returns 0, or something else with errno. */
#define OPERATIONS(X) \
    X(private, "") X(unshare, "d") X(join, "d") X(root, "s") X(bindroot, "s") X(chdir, "s") X(mkdir, "sodd") \
    X(file, "so") X(symlink, "ss") X(write, "sbo") X(mount, "sssdss") X(hostmount, "sssds") X(bind, "ssds") \
    X(hostbind, "ssd") X(fuse, "ss") X(mask, "s") X(readonly, "s") X(rootreadonly, "") X(pivot, "") X(hostname, "s") \
    X(domainname, "s") X(loopback, "") X(procwrite, "sb") X(oomscore, "s") X(rlimit, "ddd") X(umask, "o") X(tty, "") \
    X(session, "") X(barrier, "*s") X(owner, "dd") X(bound, "x") X(ids, "dd*d") X(nonewprivs, "") X(seccomp, "b") \
    X(landlock, "dd") X(keyring, "") X(idmap, "ss") X(selfcheck, "ddxxxxxdd") \
    X(caps, "xxxx") X(env, "*s") X(init, "") X(exec, "ss*s") X(rmtree, "s") X(chown, "sdd") X(listen, "ssddds") X(forward, "s") \
    X(serve, "") X(asked, "") X(get, "s") X(put, "ss") X(affinity, "s") X(nice, "d") X(share, "ddss")
#define UNUSED __attribute__((unused))
#define OP(name, ...) int op_##name(UNUSED struct walk *w, UNUSED const struct arg *a, UNUSED int n)
#define DECLARE(name, format) OP(name);
OPERATIONS(DECLARE)
#define AUTO __attribute__((cleanup(close_kept))) int /* a descriptor that is closed at the end of its block */
#define FDPATH(fd) text("/proc/self/fd/%d", fd)
#define SAY(...) do { struct buf b_ = {0}; event(&b_, __VA_ARGS__, NULL); write_all(CHANNEL, b_.p, b_.n); free(b_.p); } while (0)
static inline int fail(int e) { errno = e; return -1; }
int frame_decode(const char *payload, size_t len, struct frame *out), frame_read(int fd, struct frame *out);
int record_args(const struct record *r, const char *format, struct arg *a), request_read(int fd, struct request *q, const char **step);
void buf_room(struct buf *b, size_t more), buf_add(struct buf *b, const void *p, size_t n);
void event_open(struct buf *b, const char *name), event_field(struct buf *b, const void *p, size_t n), event_close(struct buf *b);
void event(struct buf *b, const char *name, ...); /* texts, then NULL */
char *stamp(void), *text(const char *format, ...) __attribute__((format(printf, 1, 2))); /* never freed: there are few */
void walk_plan(struct walk *w, const struct plan *plan); /* the first failure is told and ends the process */
void close_kept(int *fd), close_range_of(unsigned first, unsigned last, int flags), place(int n, const int *want, int *sync);
bool write_all(int fd, const void *p, size_t n), send_packet(int fd, char type, const void *p, size_t n, int pass);
ssize_t recv_packet(int fd, void *p, size_t n, int *passed);
void signals_default(void), title_init(int argc, char **argv), title(const char *role, const char *id); int signals_block(const int *list);
enum { B_NOLINKS = 1, B_MKDIR = 2, B_MKFILE = 4 }; struct made { mode_t mode; uid_t uid; gid_t gid; }; /* no links; create what is missing */
int beneath(int root, const char *path, int oflags, int how, const struct made *make);
int beneath_parent(int root, const char *path, int how, const char **name);
int open_null(void), unix_socket(const char *path, bool server), socket_pair(int pair[2]);
int bind_at(int source, int target, unsigned long flags, int root, const char *path), mount_flags(int fd, unsigned long flags);
pid_t clone_with(uint64_t flags, bool sibling); const char *map_ids(const struct request *q, pid_t pid, char **said);
int open_proc(unsigned long long pid, unsigned long long start); /* /proc/PID if it started then (0: whenever); -1, ESRCH */
unsigned long long start_of(pid_t pid);
int proc_kill(char **argv), proc_wait(char **argv), attach(char **argv), seal_self(void);
int probe(char **argv); /* isolation/ */ int processes(void); /* client/ */
int forward_late(char **argv), port_client(int argc, char **argv); /* ports/ */
_Noreturn void sealed_main(char **argv); void join_sealed(void);
_Noreturn void init_main(const struct request *q, enum role role, int sync, const int stdio[3]);
_Noreturn void walk_fail(struct walk *w, const char *plan, unsigned index, const char *detail);
void tie_to_parent(void), become_root(void), log_write(int fd, int stream, const char *p, size_t n);
void journal(const struct request *q, const char *time, const char *what); int state_write(const struct request *q, pid_t pid, const char *since, int status, bool ended);
int supervise(struct request *q, enum role role), docker_status(int status);
void early_begin(const char *path), early_drop(void); /* early/: what may be made before the request has come, after a model in a file */
extern const struct request *log_request; /* for log_write: path and limits of the log */
extern int signal_pipe; int front_run(int session, const char *streams, const char *keys, size_t nkeys); /* -1: there is none */
bool filter_keys(const char *keys, size_t nkeys, const char *in, size_t n, char *out, size_t *used);
int holder_open(const struct request *q, int *user, char **said), holder_ask(const struct request *q, int fd, pid_t pid), net_ask(void), tether(char **argv); /* net/ */
void guest_begin(pid_t pid), guest_end(void); bool holder_said(int *fd, bool started); pid_t clone_inside(const struct request *q, int user, const char **step, char **said);
