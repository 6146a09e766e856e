/* The streams of a command and those who are connected to them: the supervisor's end of the session socket. */
#pragma once
#include "helper.h"

enum { CLIENTS = 16 };
struct client {
    int fd;            /* -1: free */
    bool first;        /* came with the command: the end of its stdin is the end of the command's */
    bool go, ack, eof; /* to be told 'g', 'a'; its stdin has ended */
    unsigned want;     /* bit 0 stdout, bit 1 stderr */
    size_t pos, in_at, in_n; /* pos: how much of the queue it has got */
    char in[PACKET + 1];
};
struct session {
    struct client client[CLIENTS];
    struct buf queue; /* packets (u32 length, bytes) that somebody has not got yet */
    int in, out[2], listen, log;
    bool tty, live;   /* live: the command has been executed */
    pid_t pid;
};

bool session_add(struct session *s, int fd, const char *streams, bool first);
void session_watch(struct session *s);
void session_pump(struct session *s);
void session_drain(struct session *s);
void session_end(struct session *s, int status);
bool session_idle(const struct session *s);
/* One set of descriptors for the only loop: watch before, hit after; session_watch begins a new set. */
void watch(int fd, short events);
void watch_wait(void);
short hit(int fd);
