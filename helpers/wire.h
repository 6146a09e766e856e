/* Frames of docs/helper-protocol.md: the decoder of requests and the encoder of events. */
#ifndef TSBOX_WIRE_H
#define TSBOX_WIRE_H

#include "sys.h"

#define FRAME_MAX (16u << 20)

struct field {
    const char *p; /* p[n] is NUL */
    uint32_t n;
};

struct record {
    struct field *f;
    uint32_t n;
};

struct frame {
    struct record *r;
    uint32_t n;
};

/* One field after conversion: text, and its value where the format says it is a number. */
struct arg {
    const char *s;
    uint32_t n;
    long long v;
};

struct buf {
    char *p;
    size_t n, cap;
};

/* Decodes a payload in place; the frame points into it. 0, EPROTO or ENOMEM. free(out->r) when done. */
int frame_decode(const char *payload, size_t len, struct frame *out);

/* Reads exactly one frame. 0, EPIPE at the end of the stream, or an errno. The payload stays allocated. */
int frame_read(int fd, struct frame *out);

/* Fields 1… by format: s text without NUL, b bytes, d decimal, o octal, x hex; `*` repeats the last. 0 or -1, EINVAL. */
int record_args(const struct record *r, const char *format, struct arg *a);

void buf_room(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
char *num(unsigned long long v); /* decimal, in one of eight static buffers */

void event_open(struct buf *b);
void event_field(struct buf *b, const void *p, size_t n);
void event_close(struct buf *b);
void event(struct buf *b, ...); /* all in one: texts, then NULL */

bool write_all(int fd, const void *p, size_t n); /* blocking; no SIGPIPE for sockets */

#endif
