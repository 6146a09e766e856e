/* What the parts of the helper share. docs/helper-protocol.md says what they do together. */
#pragma once
#include "sys.h"

#define FRAME_MAX (16u << 20)
#define PACKET 32768 /* most bytes of content in a packet of the session and sync sockets */
enum { CHANNEL = 3, SIGNAL_PIPE = 4, SERVICES = 8, KEEPS = 8, FAIL = 125 /* docker's status for errors of its own */ };
enum role { SUPERVISE, JOIN, ENTER };

struct field { const char *p; uint32_t n; }; /* p[n] is NUL */
struct record { struct field *f; uint32_t n; };
struct frame { struct record *r; uint32_t n; };
struct arg { const char *s; uint32_t n; long long v; }; /* a field, and its value where the format says number */
struct buf { char *p; size_t n, cap; };
struct plan { const char *name; struct record *r; uint32_t n; };
struct service { struct plan plan; bool ready, fuse; };

struct request { /* a header record is the arguments it came with; .s is NULL where there was none */
    struct arg version, id, cwd, clone, target[2], lock, state, log, socket, front, tty[2], keys, uidmapper, gidmapper;
    struct arg setgroups, in;
    struct record onexit;
    char *uidmap, *gidmap; /* the text for /proc/PID/uid_map */
    int keep[KEEPS], nkeep, nservice;
    struct plan init;
    struct service service[SERVICES];
    bool barrier;
};

struct walk { /* one walk over a plan, in the process that the plan is about */
    const char *id, *detail;
    int sync, root, seal, rows, cols, nkeep, keep[KEEPS];
    bool pivoted, container, service, env_set; /* container: pid 1 of one, not a process that joins */
    long target;                               /* the process whose namespaces `join` enters, and its start time */
    unsigned long long start;
    mode_t umask;
    char **env;
};

/* Operations: name and format of the fields. Each returns 0, or something else with errno. */
#define OPERATIONS(X) \
    X(private, "") X(unshare, "d") X(join, "d") X(root, "s") X(bindroot, "s") X(chdir, "s") X(mkdir, "sodd") \
    X(file, "so") X(symlink, "ss") X(write, "sbo") X(mount, "sssdss") X(hostmount, "sssds") X(bind, "ssds") \
    X(hostbind, "ssd") X(fuse, "ss") X(mask, "s") X(readonly, "s") X(rootreadonly, "") X(pivot, "") X(hostname, "s") \
    X(domainname, "s") X(loopback, "") X(procwrite, "sb") X(oomscore, "s") X(rlimit, "ddd") X(umask, "o") X(tty, "") \
    X(session, "") X(barrier, "*s") X(owner, "dd") X(bound, "x") X(ids, "dd*d") X(nonewprivs, "") X(seccomp, "b") \
    X(caps, "xxxx") X(env, "*s") X(init, "") X(exec, "ss*s") X(rmtree, "s") X(chown, "sdd")
#define UNUSED __attribute__((unused))
#define OP(name, ...) int op_##name(UNUSED struct walk *w, UNUSED const struct arg *a, UNUSED int n)
#define DECLARE(name, format) OP(name);
OPERATIONS(DECLARE)

#define AUTO __attribute__((cleanup(close_kept))) int /* a descriptor that is closed at the end of its block */
void close_kept(int *fd);
static inline int fail(int e) { errno = e; return -1; }

/* wire.c */
int frame_decode(const char *payload, size_t len, struct frame *out);
int frame_read(int fd, struct frame *out);
int record_args(const struct record *r, const char *format, struct arg *a);
void buf_room(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void event_open(struct buf *b, const char *name);
void event_field(struct buf *b, const void *p, size_t n);
void event_close(struct buf *b);
void event(struct buf *b, const char *name, ...); /* texts, then NULL */
#define SAY(...) do { struct buf b_ = {0}; event(&b_, __VA_ARGS__, NULL); write_all(CHANNEL, b_.p, b_.n); free(b_.p); } while (0)
bool write_all(int fd, const void *p, size_t n);
char *text(const char *format, ...) __attribute__((format(printf, 1, 2))); /* never freed: there are few */
/* request.c, ops.c */
int request_read(int fd, struct request *q, const char **step);
void walk_plan(struct walk *w, const struct plan *plan); /* the first failure is told and ends the process */
/* fd.c */
int open_null(void);
void place(int n, const int *want, int *sync);
void close_others(unsigned from, const int *keep, int n);
void cloexec_from(unsigned first);
bool send_packet(int fd, char type, const void *p, size_t n, int pass);
ssize_t recv_packet(int fd, void *p, size_t n, int *passed);
void signals_default(void);
int signals_block(const int *list);
void title_init(int argc, char **argv);
void title(const char *role, const char *id);
int unix_socket(const char *path, bool server);
#define FDPATH(fd) text("/proc/self/fd/%d", fd)
/* resolve.c: B_NOLINKS refuses links, B_MKDIR and B_MKFILE create what is missing, B_WALK does without openat2 */
enum { B_NOLINKS = 1, B_MKDIR = 2, B_MKFILE = 4, B_WALK = 8 };
struct made { mode_t mode; uid_t uid; gid_t gid; };
int beneath(int root, const char *path, int oflags, int how, const struct made *make);
int beneath_parent(int root, const char *path, int how, const char **name);
/* mounts.c, userns.c, proc.c, seal.c, rmtree.c, init.c */
int bind_at(int source, int target, unsigned long flags, int root, const char *path);
int mount_flags(int fd, unsigned long flags);
pid_t clone_with(uint64_t flags);
const char *map_ids(const struct request *q, pid_t pid, char **said);
int open_proc(long pid, unsigned long long start); /* /proc/PID if it started then (0: whenever); -1, ESRCH */
unsigned long long start_of(pid_t pid);
int proc_kill(char **argv);
int proc_wait(char **argv);
int seal_self(void);
_Noreturn void sealed_main(char **argv);
_Noreturn void init_main(const struct request *q, enum role role, int sync, const int stdio[3]);
_Noreturn void walk_fail(struct walk *w, const char *plan, unsigned index, const char *detail);
void tie_to_parent(void);
void become_root(void);
/* log.c */
char *stamp(void);
void log_write(int fd, int stream, const char *p, size_t n);
int state_write(const struct request *q, pid_t pid, const char *since, int status, bool ended);
/* supervise.c, front.c */
int supervise(struct request *q, enum role role);
int docker_status(int status);
int front_run(int session, const char *streams, const char *keys, size_t nkeys);
bool filter_keys(const char *keys, size_t nkeys, const char *in, size_t n, char *out, size_t *used);
int attach(char **argv);
