/*
 * Fuzz target: whatever comes through the channel. Built for libFuzzer, or with OWN_LOOP for a loop of our own that mutates
 * valid frames: `make -C helpers fuzz FUZZ_SECONDS=60`.
 */
#include "helper.h"
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

static volatile unsigned sink;

/* Every operation's format is tried on every record: the table of the interpreter without performing anything. */
static void convert_all(const struct record *r)
{
#define FORMAT(name, format) format,
    static const char *const formats[] = { OPERATIONS(FORMAT) HEADERS(FORMAT) };
    struct arg *a = calloc(r->n, sizeof *a);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (record_args(r, formats[i], a) == 0)
            for (uint32_t k = 0; k + 1 < r->n; k++)
                sink += (unsigned)a[k].v + (unsigned char)a[k].s[a[k].n];
    free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame f;
    char *payload = malloc(size ? size : 1); /* exactly as large: one byte further is an error */
    if (size)
        memcpy(payload, data, size);
    if (frame_decode(payload, size, &f) == 0) {
        for (uint32_t i = 0; i < f.n; i++) {
            for (uint32_t k = 0; k < f.r[i].n; k++)
                for (uint32_t b = 0; b <= f.r[i].f[k].n; b++)
                    sink += (unsigned char)f.r[i].f[k].p[b];
            convert_all(&f.r[i]);
        }
        free(f.r);
    }
    free(payload);
    static int fd = -1;
    struct request q = { 0 };
    const char *step;
    uint32_t n = (uint32_t)size;
    fd = fd < 0 ? memfd_create("request", MFD_CLOEXEC) : fd;
    if (ftruncate(fd, 0) == 0 && pwrite(fd, "TSBX", 4, 0) == 4 && pwrite(fd, &n, 4, 4) == 4 &&
        pwrite(fd, data, size, 8) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0)
        sink += (unsigned)request_read(fd, &q, &step);
    if (q.frame.n)
        free((char *)(uintptr_t)q.frame.r[0].f[0].p - 8); /* the payload: two lengths lie before its first field */
    free(q.frame.r);
    return 0;
}

#ifdef OWN_LOOP
static size_t add_field(uint8_t *p, const char *s)
{
    uint32_t n = (uint32_t)strlen(s);
    memcpy(p, &n, 4);
    memcpy(p + 4, s, n + 1);
    return n + 5;
}

static size_t add_record(uint8_t *p, const char *const *fields)
{
    size_t at = 4;
    for (; *fields; fields++)
        at += add_field(p + at, *fields);
    uint32_t body = (uint32_t)at - 4;
    memcpy(p, &body, 4);
    return at;
}

int main(int argc, char **argv)
{
    static const char *const seeds[][6] = { { "version", "1" }, { "id", "x" }, { "uidmap", "0", "1000", "1" }, { "keepfd", "4" },
                                            { "plan", "init" }, { "mkdir", "/x", "755", "0", "0" }, { "service", "n", "ready" } };
    long seconds = 10;
    unsigned long runs = 0;
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], "-max_total_time=", 16))
            seconds = atol(argv[i] + 16);
    srand((unsigned)time(NULL));
    for (time_t end = time(NULL) + seconds; time(NULL) < end; runs++) {
        uint8_t p[4096];
        size_t n = add_record(p, seeds[0]);
        for (int i = rand() % 8; i > 0; i--)
            n += add_record(p + n, seeds[rand() % 7]);
        for (int i = rand() % 6; i > 0; i--) {
            if (rand() % 2)
                p[(size_t)rand() % n] = (uint8_t)rand();
            else if (n > 8)
                memcpy(p + (size_t)rand() % (n - 4), &(uint32_t){ (uint32_t)rand() >> rand() % 32 }, 4);
        }
        LLVMFuzzerTestOneInput(p, rand() % 4 ? n : (size_t)rand() % (n + 1));
    }
    fprintf(stderr, "%lu runs, nothing found\n", runs);
    return 0;
}
#endif
