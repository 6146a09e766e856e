/* The streams of a command and those who are connected to them: the supervisor's end of the session socket. */
#include "helper.h"
struct client {
    int fd;                     /* 0: free */
    bool first, go, ack, eof;   /* first: its stdin's end is the command's; to be told 'g', 'a'; its stdin has ended */
    bool want[2];               /* stdout, stderr */
    size_t pos, in_at, in_n;    /* pos: how much of the queue it has got */
    char in[PACKET + 2];
};
struct session {
    struct client client[16];
    struct buf queue;           /* packets (u32 length, bytes) that somebody has not got yet */
    int in, out[2], listen, log;
    bool tty, live;             /* live: the command has been executed */
    pid_t pid;
};
extern struct session session;  /* one per process, in .bss: pages that are not touched cost nothing */
void session_add(int fd, const char *streams, bool first), session_watch(void), session_end(void);
void session_queue(char type, const void *p, uint32_t n), drop_fd(int *fd);
bool session_pump(void);
void watch(int fd, short events), watch_wait(void); /* one set of descriptors for the only loop: session_watch begins it */
short hit(int fd);
