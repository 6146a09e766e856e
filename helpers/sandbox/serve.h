/* A command of a warm container, between its request and its end. */
#pragma once
#include "helper.h"
enum { JOBS = 64, STOP = 40 /* a real-time signal: who attends to a command ends all of it; any other is passed on */ };
struct job {
    char *id;                           /* NULL: free */
    pid_t pid;                          /* of who attends to it; 0: reaped */
    int in, out[2], sync;               /* -1: closed */
    struct buf input; size_t at;        /* what is still to be written to its stdin, from `at` */
    bool more;                          /* more input comes once this is taken */
    unsigned long long left;            /* bytes of output that are still passed on */
    bool cut, late, stopped;            /* output was thrown away; its time was up; it has been told to end */
    long long begun, limit;             /* microseconds; milliseconds, 0: none */
};
struct result { int status; long long cpu, memory; }; /* microseconds, KiB */
long long now_us(void);
int pipe_to(int *ours, int *theirs, int write_end);
void attend(struct walk *w, const int stdio[3], int sync, const char *id, bool all);
