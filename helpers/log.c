/* The container's output as CRI log lines: TIME STREAM F|P TEXT. P: the line goes on in the next record. */
#include "helper.h"

#include <time.h>

#define LOG_BUFFER 16384

static char *digits(char *p, unsigned v, int n)
{
    for (int i = n - 1; i >= 0; i--, v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + n;
}

/* Now, as 2026-01-02T03:04:05.123456789Z. Years are counted from March, so that a leap day is the last of its year. */
char *stamp(char out[32])
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    unsigned long day = (unsigned long)t.tv_sec / 86400 + 719468, second = (unsigned long)t.tv_sec % 86400;
    unsigned long era = day / 146097, doe = day % 146097;
    unsigned long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), m = (5 * doy + 2) / 153;
    unsigned month = (unsigned)(m < 10 ? m + 3 : m - 9);
    char *p = digits(out, (unsigned)(yoe + era * 400 + (month <= 2)), 4);
    *p++ = '-', p = digits(p, month, 2);
    *p++ = '-', p = digits(p, (unsigned)(doy - (153 * m + 2) / 5 + 1), 2);
    *p++ = 'T', p = digits(p, (unsigned)(second / 3600), 2);
    *p++ = ':', p = digits(p, (unsigned)(second / 60 % 60), 2);
    *p++ = ':', p = digits(p, (unsigned)(second % 60), 2);
    *p++ = '.', p = digits(p, (unsigned)t.tv_nsec, 9);
    *p++ = 'Z', *p = 0;
    return out;
}

/* A full disk loses log lines, never the container's output. */
void log_write(int fd, int stream, const char *p, size_t n)
{
    static char buffer[LOG_BUFFER];
    char prefix[64], *mark;
    strcat(stamp(prefix), stream ? " stderr " : " stdout ");
    size_t head = strlen(prefix) + 2, used = 0;
    mark = prefix + head - 2;
    mark[1] = ' ';
    while (fd >= 0 && n) {
        const char *end = memchr(p, '\n', n);
        size_t len = end ? (size_t)(end - p) : n, room = sizeof buffer - head - 1;
        bool cut = len > room;
        len = cut ? room : len;
        if (used + head + len + 1 > sizeof buffer) {
            write_all(fd, buffer, used);
            used = 0;
        }
        *mark = end && !cut ? 'F' : 'P';
        memcpy(buffer + used, prefix, head);
        memcpy(buffer + used + head, p, len);
        used += head + len;
        buffer[used++] = '\n';
        p += len + (end && !cut);
        n -= len + (end && !cut);
    }
    if (used)
        write_all(fd, buffer, used);
}
