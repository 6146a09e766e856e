/* What the parts of the helper share. docs/helper-protocol.md says what they do together. */
#ifndef TSBOX_HELPER_H
#define TSBOX_HELPER_H

#include "wire.h"

#define PACKET 32768   /* most bytes of content in one packet of the session and sync sockets */
#define CHANNEL 3
#define SIGNAL_PIPE 4
#define SERVICES 8
#define KEEPS 8
#define FAIL 125       /* docker's status for errors that are not the command's own */

struct plan {
    const char *name;
    struct record *r;
    uint32_t n;
};

struct service {
    bool ready, fuse;
    struct plan plan;
};

enum role { SUPERVISE, JOIN, ENTER };

struct request {
    struct frame frame;
    const char *id, *cwd, *lock, *state, *log, *socket, *front, *uidmapper, *gidmapper, *boot;
    struct arg clone, pid, start, rows, cols, keys;
    bool deny_setgroups, open_stdin, tty, barrier;
    struct buf uidmap, gidmap;      /* lines for /proc/PID/uid_map */
    struct record onexit;
    int keep[KEEPS], nkeep;
    struct plan init;
    struct service service[SERVICES];
    int nservice;
};

/* One walk over a plan, in the process that the plan is about. */
struct walk {
    const char *plan, *id, *detail;
    int channel, sync, root, seal;
    bool pivoted, console, service, env_set;
    int rows, cols, keep[KEEPS], nkeep;
    long target;                    /* the process whose namespaces `join` enters */
    unsigned long long start;
    mode_t umask;
    char **env;
    size_t nenv;
};

/* request.c */
int request_read(int fd, struct request *q, const char **step);

/* ops.c: walks, reports the first failure and ends the process with FAIL; returns when the plan is at its end. */
void walk_plan(struct walk *w, const struct plan *plan);

/* init.c */
_Noreturn void init_main(const struct request *q, enum role role, int sync, const int stdio[3]);
_Noreturn void sealed_main(char **argv);
_Noreturn void walk_fail(struct walk *w, const char *plan, unsigned index, const char *detail);
void tie_to_parent(void);
void become_root(void);

/* fd.c */
char *fdpath(int fd); /* /proc/self/fd/N, in one of four static buffers */
int open_null(void);
void place(int n, const int *want, int *sync);
void close_others(unsigned from, const int *keep, int n);
void cloexec_from(unsigned first);
bool send_packet(int fd, char type, const void *p, size_t n, int pass);
ssize_t recv_packet(int fd, void *p, size_t n, int *passed);
bool poll_in(int fd, int other);
void signals_default(void);
int signals_block(const int *list);
void title_init(int argc, char **argv);
void title(const char *role, const char *id);
int unix_socket(const char *path, bool server);

/* resolve.c */
enum { B_NOLINKS = 1, B_MKDIR = 2, B_MKFILE = 4, B_WALK = 8 /* not openat2 */ };
struct made {
    mode_t mode;
    uid_t uid;
    gid_t gid;
};
int beneath(int root, const char *path, int oflags, int how, const struct made *make);
int beneath_parent(int root, const char *path, const struct made *make, const char **name);

/* mounts.c */
int bind_at(int source, int target, unsigned long flags, int root, const char *path);
int remount(int mount, unsigned long flags);

/* userns.c */
pid_t clone_with(uint64_t flags);
const char *map_ids(const struct request *q, pid_t pid, struct buf *said);

/* proc.c */
int open_proc(long pid, unsigned long long start); /* O_PATH on /proc/PID if it started then (0: any); -1 ESRCH */
unsigned long long start_of(int proc);
int proc_kill(char **argv);
int proc_wait(char **argv);

/* seal.c, rmtree.c */
int seal_self(void);
int remove_tree(const char *path);

/* log.c, state.c */
char *stamp(char out[32]);
void log_write(int fd, int stream, const char *p, size_t n);
int state_write(const struct request *q, pid_t pid, const char *started, int status, bool ended, bool sync);

/* supervise.c, front.c */
int supervise(struct request *q, enum role role);
int front_run(int session, const char *streams, const char *keys, size_t nkeys);
int attach(char **argv);

#endif
