/* Frames of docs/helper-protocol.md: the decoder of requests and the encoder of events. */
#include "helper.h"
#include <endian.h>
#include <stdarg.h>
/* Takes a length off the input; true when that much is left. */
static bool length(const char **p, const char *end, uint32_t *n) {
    if (end - *p < 4) return false;
    memcpy(n, *p, 4); *n = le32toh(*n), *p += 4;
    return *n <= (size_t)(end - *p);
}
/* Walks the payload; counts only when `recs` is NULL. */
static bool scan(const char *p, size_t len, struct record *recs, struct field *fields, size_t *nr, size_t *nf) {
    const char *end = p + len; uint32_t body, n;
    for (*nr = *nf = 0; p < end; ++*nr) {
        if (!length(&p, end, &body) || body == 0) return false;
        if (recs) recs[*nr] = (struct record){fields + *nf, 0};
        for (const char *stop = p + body; p < stop; p += n + 1, ++*nf) {
            if (!length(&p, stop, &n) || n == (size_t)(stop - p) || p[n]) return false;
            if (recs) recs[*nr].f[recs[*nr].n++] = (struct field){p, n};
        }
    }
    return true;
}
/* Decodes in place: the frame points into the payload. 0, EPROTO or ENOMEM. free(out->r) when done. */
int frame_decode(const char *payload, size_t len, struct frame *out) {
    size_t nr, nf;
    if (!scan(payload, len, NULL, NULL, &nr, &nf)) return EPROTO;
    struct record *recs = malloc(nr * sizeof *recs + nf * sizeof(struct field) + 1);
    if (!recs) return ENOMEM;
    scan(payload, len, recs, (struct field *)(recs + nr), &nr, &nf);
    return *out = (struct frame){recs, (uint32_t)nr}, 0;
}
/* Reads or writes all of it, whatever mode the descriptor is in. 0, EPIPE at the end of the stream, or an errno. */
static int transfer(int fd, char *p, size_t n, bool out) {
    while (n) {
        ssize_t k = out ? send(fd, p, n, MSG_NOSIGNAL) : read(fd, p, n);
        if (k < 0 && out && errno == ENOTSOCK) k = write(fd, p, n);
        if (k == 0 && !out) return EPIPE;
        if (k < 0 && errno == EAGAIN) poll(&(struct pollfd){fd, out ? POLLOUT : POLLIN, 0}, 1, -1);
        else if (k < 0 && errno != EINTR) return errno;
        if (k > 0) p += k, n -= (size_t)k;
    }
    return 0;
}
bool write_all(int fd, const void *p, size_t n) { return transfer(fd, (char *)(uintptr_t)p, n, true) == 0; }
struct room frame_room;
/* Reads exactly one frame, whose payload stays allocated. 0 or an errno. */
int frame_read(int fd, struct frame *out) {
    char head[8]; uint32_t n; int e = transfer(fd, head, sizeof head, false);
    if (e) return e;
    memcpy(&n, head + 4, 4);
    if (memcmp(head, "TSBX", 4) || (n = le32toh(n)) > FRAME_MAX) return EPROTO;
    char *payload = frame_room.p ? frame_room.p : malloc((size_t)n + 1);
    frame_room.used = n;
    e = payload ? transfer(fd, payload, n, false) : ENOMEM;
    if (!e) e = frame_decode(payload, n, out);
    return e && payload != frame_room.p ? free(payload), e : e;
}
/* One field: s text without NUL, b bytes, d decimal, o octal, x hex. */
static bool convert(char kind, const struct field *f, struct arg *a) {
    const char *digits = kind == 'x' ? "0123456789abcdef" : kind == 'o' ? "01234567" : "0123456789";
    bool minus = f->p[0] == '-' && kind == 'd';
    *a = (struct arg){f->p, f->n, 0};
    if (kind == 'b' || kind == 's') return kind == 'b' || !memchr(f->p, 0, f->n);
    errno = 0; a->v = minus ? strtoll(f->p, NULL, 10) : (long long)strtoull(f->p, NULL, (int)strlen(digits));
    return f->n > minus && strspn(f->p + minus, digits) == f->n - minus && !errno;
}
/* Fields 1… by format; `*` lets the last letter repeat. 0, or -1 and EINVAL. */
int record_args(const struct record *r, const char *format, struct arg *a) {
    uint32_t i = 1;
    for (; *format && *format != '*'; format++, i++)
        if (i >= r->n || !convert(*format, &r->f[i], &a[i - 1])) return fail(EINVAL);
    for (; *format && i < r->n; i++) if (!convert(format[1], &r->f[i], &a[i - 1])) return fail(EINVAL);
    return i == r->n ? 0 : fail(EINVAL);
}
void buf_room(struct buf *b, size_t more) {
    if (b->n + more <= b->cap) return;
    b->cap = (b->n + more) * 5 / 4 + 64;
    if (!(b->p = realloc(b->p, b->cap))) _exit(FAIL);
}
void buf_add(struct buf *b, const void *p, size_t n) {
    buf_room(b, n + 1);
    if (n) memcpy(b->p + b->n, p, n);
    b->p[b->n += n] = 0;
}
void event_field(struct buf *b, const void *p, size_t n) {
    buf_add(b, &(uint32_t){htole32((uint32_t)n)}, 4); buf_add(b, p, n); buf_add(b, "", 1);
}
void event_open(struct buf *b, const char *name) {
    b->n = 0; buf_add(b, "TSBX\0\0\0\0\0\0\0\0", 12); event_field(b, name, strlen(name));
}
void event_close(struct buf *b) {
    const uint32_t lengths[2] = {htole32((uint32_t)b->n - 8), htole32((uint32_t)b->n - 12)};
    memcpy(b->p + 4, lengths, 8);
}
void event(struct buf *b, const char *name, ...) {
    va_list list; va_start(list, name); event_open(b, name);
    for (const char *s; (s = va_arg(list, const char *));) event_field(b, s, strlen(s));
    event_close(b); va_end(list);
}
char *text(const char *format, ...) {
    va_list list; char *p; va_start(list, format);
    if (vasprintf(&p, format, list) < 0) _exit(FAIL);
    return va_end(list), p;
}
