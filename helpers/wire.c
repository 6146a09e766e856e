#include "wire.h"

#include <endian.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>

static uint32_t get32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return le32toh(v);
}

static void put32(char *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, 4);
}

/* Walks the payload; counts only when `recs` is NULL. Every length is checked against what is left before it is used. */
static int scan(const char *p, size_t len, struct record *recs, struct field *fields, size_t *nr, size_t *nf)
{
    const char *end = p + len;
    for (*nr = *nf = 0; p < end; ++*nr) {
        if (end - p < 4)
            return EPROTO;
        uint32_t body = get32(p);
        p += 4;
        if (body == 0 || body > (size_t)(end - p))
            return EPROTO;
        const char *stop = p + body;
        size_t first = *nf;
        for (; p < stop; ++*nf) {
            if (stop - p < 5)
                return EPROTO;
            uint32_t n = get32(p);
            p += 4;
            if (n >= (size_t)(stop - p) || p[n] != 0)
                return EPROTO;
            if (recs)
                fields[*nf] = (struct field){ p, n };
            p += (size_t)n + 1;
        }
        if (recs)
            recs[*nr] = (struct record){ fields + first, (uint32_t)(*nf - first) };
    }
    return 0;
}

int frame_decode(const char *payload, size_t len, struct frame *out)
{
    size_t nr, nf;
    int e = scan(payload, len, NULL, NULL, &nr, &nf);
    if (e)
        return e;
    struct record *recs = malloc(nr * sizeof *recs + nf * sizeof(struct field) + 1);
    if (!recs)
        return ENOMEM;
    e = scan(payload, len, recs, (struct field *)(recs + nr), &nr, &nf);
    *out = (struct frame){ recs, (uint32_t)nr };
    return e;
}

static int read_all(int fd, char *p, size_t n)
{
    while (n) {
        ssize_t got = read(fd, p, n);
        if (got == 0)
            return EPIPE;
        if (got < 0 && errno == EAGAIN)
            poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, -1);
        else if (got < 0 && errno != EINTR)
            return errno;
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
    return 0;
}

int frame_read(int fd, struct frame *out)
{
    char head[8];
    int e = read_all(fd, head, sizeof head);
    if (e)
        return e;
    uint32_t n = get32(head + 4);
    if (memcmp(head, "TSBX", 4) || n > FRAME_MAX)
        return EPROTO;
    char *payload = malloc((size_t)n + 1);
    if (!payload)
        return ENOMEM;
    e = read_all(fd, payload, n);
    if (!e)
        e = frame_decode(payload, n, out);
    if (e)
        free(payload);
    return e;
}

static int convert(char kind, const struct field *f, struct arg *a)
{
    *a = (struct arg){ f->p, f->n, 0 };
    if (kind == 'b')
        return 0;
    if (memchr(f->p, 0, f->n))
        return -1;
    if (kind == 's')
        return 0;
    int base = kind == 'x' ? 16 : kind == 'o' ? 8 : 10;
    char *end, first = f->p[0] == '-' && base == 10 ? f->p[1] : f->p[0];
    bool digit = (first >= '0' && first <= '9') || (base == 16 && first >= 'a' && first <= 'f');
    errno = 0;
    a->v = first == f->p[0] ? (long long)strtoull(f->p, &end, base) : strtoll(f->p, &end, base);
    return digit && *end == 0 && errno == 0 ? 0 : -1;
}

int record_args(const struct record *r, const char *format, struct arg *a)
{
    uint32_t i = 1;
    for (; *format; format++) {
        bool rest = *format == '*';
        format += rest;
        do {
            if (i >= r->n && rest)
                break;
            if (i >= r->n || convert(*format, &r->f[i], &a[i - 1])) {
                errno = EINVAL;
                return -1;
            }
            i++;
        } while (rest);
    }
    errno = EINVAL;
    return i == r->n ? 0 : -1;
}

void buf_room(struct buf *b, size_t more)
{
    if (b->n + more <= b->cap)
        return;
    b->cap = (b->n + more) * 5 / 4 + 64;
    b->p = realloc(b->p, b->cap);
    if (!b->p)
        _exit(125);
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    buf_room(b, n + 1);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

char *num(unsigned long long v)
{
    static char ring[8][24];
    static unsigned turn;
    char *p = ring[turn++ % 8] + 23;
    *p = 0;
    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    return p;
}

void event_open(struct buf *b)
{
    b->n = 0;
    buf_add(b, "TSBX\0\0\0\0\0\0\0\0", 12);
}

void event_field(struct buf *b, const void *p, size_t n)
{
    char head[4];
    put32(head, (uint32_t)n);
    buf_add(b, head, 4);
    buf_add(b, p, n);
    buf_add(b, "", 1);
}

void event_close(struct buf *b)
{
    put32(b->p + 4, (uint32_t)(b->n - 8));
    put32(b->p + 8, (uint32_t)(b->n - 12));
}

void event(struct buf *b, ...)
{
    va_list list;
    va_start(list, b);
    event_open(b);
    for (const char *s; (s = va_arg(list, const char *));)
        event_field(b, s, strlen(s));
    event_close(b);
    va_end(list);
}

bool write_all(int fd, const void *data, size_t n)
{
    for (const char *p = data; n;) {
        ssize_t put = send(fd, p, n, MSG_NOSIGNAL);
        if (put < 0 && errno == ENOTSOCK)
            put = write(fd, p, n);
        if (put < 0 && errno == EAGAIN)
            poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, -1);
        else if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        }
    }
    return true;
}
