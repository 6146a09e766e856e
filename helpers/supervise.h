/* The state of the parent of a command: supervise.c, and early/ which prepares a part of it. */
#include "session.h"
struct kid {
    const struct service *service;
    pid_t pid;       /* 0: not started, or dead */
    int sync, ready, out; bool executed;
    char tail[4096]; size_t ntail; /* the end of a service's output */
};
extern struct super {
    enum role role;
    struct request *q;
    struct kid kid[SERVICES + 1]; /* the first is init, the others are services */
    int nkid, signals, lock, exit_pipe[2], status, pid, slim;
    bool dead, started, failed, alone; char *since; int net; /* to the holder of its networks; -1 */
} S;
#define INIT S.kid[0]
#define KIDS(k, from) struct kid *k = S.kid + (from); k < S.kid + S.nkid; k++
void start_services(int fuse), supervise_begin(enum role role, struct request *q);
int open_pipe(int *ours, int *theirs, int write_end);
/* early/: namespaces, maps and services made before the request came, after the model in the file PATH. */
void early_begin(const char *path), early_done(void), early_close(void); bool early_wanted(const struct request *q), early_send(const int stdio[3]);
