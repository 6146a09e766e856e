/* Unit tests of the helper's pure parts: `make -C helpers test`, with sanitizers. */
#include "helper.h"
#include <ftw.h>

static int failures, checks;
#define CHECK(x) do { checks++; if (!(x)) { failures++; fprintf(stderr, "%s:%d: %s\n", __func__, __LINE__, #x); } } while (0)

/* ---- wire.c ---- */

static size_t put_field(char *p, const char *bytes, uint32_t n)
{
    memcpy(p, &n, 4);
    memcpy(p + 4, bytes, n);
    p[4 + n] = 0;
    return n + 5;
}

/* A record of the fields; returns its size. */
static size_t put_record(char *p, int n, const char **fields)
{
    size_t at = 4;
    for (int i = 0; i < n; i++)
        at += put_field(p + at, fields[i], (uint32_t)strlen(fields[i]));
    uint32_t body = (uint32_t)at - 4;
    memcpy(p, &body, 4);
    return at;
}

/* Decodes an exact copy, so that one byte too far is seen by the sanitizer, and looks at every byte it was given. */
static int decode_copy(const char *p, size_t n, unsigned *sum)
{
    char *copy = malloc(n ? n : 1);
    struct frame f;
    memcpy(copy, p, n);
    int e = frame_decode(copy, n, &f);
    for (uint32_t i = 0; !e && i < f.n; i++)
        for (uint32_t k = 0; k < f.r[i].n; k++)
            for (uint32_t b = 0; b <= f.r[i].f[k].n; b++)
                *sum += (unsigned char)f.r[i].f[k].p[b];
    if (!e)
        free(f.r);
    free(copy);
    return e;
}

static void test_wire(void)
{
    char p[512], q[512];
    unsigned sum = 0;
    size_t n = put_record(p, 3, (const char *[]){ "mkdir", "/x/y", "755" });
    n += put_record(p + n, 1, (const char *[]){ "private" });
    n += put_record(p + n, 2, (const char *[]){ "exec", "" });
    struct frame f;
    CHECK(frame_decode(p, n, &f) == 0);
    CHECK(f.n == 3 && f.r[0].n == 3 && f.r[1].n == 1 && f.r[2].n == 2);
    CHECK(!strcmp(f.r[0].f[1].p, "/x/y") && f.r[2].f[1].n == 0);
    free(f.r);
    CHECK(decode_copy(p, 0, &sum) == 0);
    size_t whole[] = { 0, 4 + 10 + 9 + 8, 4 + 10 + 9 + 8 + 4 + 12, n };
    for (size_t cut = 0; cut <= n; cut++) {
        bool fine = false;
        for (int i = 0; i < 4; i++)
            fine |= cut == whole[i];
        CHECK(decode_copy(p, cut, &sum) == (fine ? 0 : EPROTO));
    }
    for (size_t at = 0; at < n; at++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(q, p, n);
            q[at] = (char)(q[at] ^ 1 << bit);
            decode_copy(q, n, &sum);
        }
    const uint32_t bad[] = { 0xffffffff, 0x80000000, 0x7fffffff, 0xfffffffb, 1, 0 };
    for (size_t at = 0; at + 4 <= n; at++)
        for (int i = 0; i < 6; i++) {
            memcpy(q, p, n);
            memcpy(q + at, &bad[i], 4);
            decode_copy(q, n, &sum);
        }
}

static void test_args(void)
{
    static const struct {
        const char *format, *text;
        int ok;
        long long value;
    } table[] = {
        { "d", "0", 1, 0 },        { "d", "-1", 1, -1 },       { "d", "9223372036854775807", 1, INT64_MAX },
        { "d", "", 0, 0 },         { "d", "-", 0, 0 },         { "d", "1 ", 0, 0 },
        { "d", " 1", 0, 0 },       { "d", "+1", 0, 0 },        { "d", "0x10", 0, 0 },
        { "d", "1e3", 0, 0 },      { "d", "18446744073709551616", 0, 0 },
        { "d", "18446744073709551615", 1, -1 },                { "d", "--1", 0, 0 },
        { "o", "755", 1, 0755 },   { "o", "8", 0, 0 },         { "o", "-1", 0, 0 },
        { "x", "ff", 1, 255 },     { "x", "FF", 0, 0 },        { "x", "0xff", 0, 0 },
        { "x", "1ffffffffff", 1, 0x1ffffffffff },              { "x", "", 0, 0 },
        { "s", "", 1, 0 },         { "b", "x", 1, 0 },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct field f[2] = { { "op", 2 }, { table[i].text, (uint32_t)strlen(table[i].text) } };
        struct arg a[2];
        int ok = record_args(&(struct record){ f, 2 }, table[i].format, a) == 0;
        CHECK(ok == table[i].ok);
        if (ok && strchr("dox", table[i].format[0]))
            CHECK(a[0].v == table[i].value);
    }
    struct field f[4] = { { "op", 2 }, { "a", 1 }, { "b\0c", 3 }, { "d", 1 } };
    struct arg a[4];
    CHECK(record_args(&(struct record){ f, 3 }, "ss", a) < 0);
    CHECK(record_args(&(struct record){ f, 3 }, "sb", a) == 0 && a[1].n == 3);
    CHECK(record_args(&(struct record){ f, 2 }, "ss", a) < 0);
    CHECK(record_args(&(struct record){ f, 2 }, "", a) < 0);
    CHECK(record_args(&(struct record){ f, 1 }, "", a) == 0);
    CHECK(record_args(&(struct record){ f, 1 }, "*s", a) == 0);
    CHECK(record_args(&(struct record){ f, 4 }, "*b", a) == 0 && a[2].n == 1);
    CHECK(record_args(&(struct record){ f, 4 }, "s*b", a) == 0);
    CHECK(record_args(&(struct record){ f, 4 }, "*s", a) < 0);
    CHECK(record_args(&(struct record){ f, 1 }, "s*b", a) < 0);
}

static void test_event(void)
{
    struct buf b = { 0 };
    struct frame f;
    event(&b, "failed", "init", "7", "", NULL);
    CHECK(!memcmp(b.p, "TSBX", 4));
    CHECK(frame_decode(b.p + 8, b.n - 8, &f) == 0 && f.n == 1 && f.r->n == 4 && !strcmp(f.r->f[2].p, "7"));
    free(f.r);
    free(b.p);
}

/* ---- resolve.c ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

/* openat2 and our walk must say the same: the same inode or the same errno. */
static void same(int root, const char *path, int oflags, int how)
{
    struct open_how2 h = { (unsigned)(oflags | O_CLOEXEC), 0, IN_ROOT | IN_NO_MAGICLINKS };
    struct stat a, b;
    h.resolve |= how & B_NOLINKS ? IN_NO_SYMLINKS : 0;
    int theirs, te;
    do { /* EAGAIN: somewhere on this machine something was renamed or mounted */
        theirs = (int)syscall(NR_OPENAT2, root, path, &h, sizeof h);
        te = theirs < 0 ? errno : 0;
    } while (te == EAGAIN);
    if (te == ENOSYS)
        return;
    int ours = beneath(root, path, oflags, how, NULL), oe = ours < 0 ? errno : 0;
    if (te != oe)
        fprintf(stderr, "%s: openat2 errno %d, walk errno %d\n", path, te, oe);
    CHECK(te == oe);
    if (!te && !oe)
        CHECK(fstat(theirs, &a) == 0 && fstat(ours, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino);
    close(theirs);
    close(ours);
}

static void make_tree(void)
{
    static const char *dirs[] = { "root", "root/a", "root/a/b", "root/a/b/c", "root/etc", "root/proc", "outside", "root/x y" };
    static const char *links[][2] = {
        { "/etc", "root/abs" },             { "../../../../../etc", "root/up" },   { "a/b", "root/rel" },
        { "/abs", "root/chain" },           { "loop2", "root/loop1" },             { "loop1", "root/loop2" },
        { ".", "root/dot" },                { "..", "root/dotdot" },               { "/", "root/slash" },
        { "../../outside", "root/a/b/out" },{ "/nowhere/x", "root/dangling" },     { "file", "root/etc/link" },
        { "link/", "root/etc/linkslash" },  { "/a/../etc/./file", "root/messy" },  { "../..//../a", "root/a/b/c/roots" },
        { "/proc/self/root", "root/esc" },  { "etc/file/x", "root/notdir" },       { "//etc//file", "root/slashes" },
    };
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        CHECK(mkdir(dirs[i], 0755) == 0);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        CHECK(symlink(links[i][0], links[i][1]) == 0);
    close(open("root/etc/file", O_CREAT | O_WRONLY, 0644));
    close(open("outside/canary", O_CREAT | O_WRONLY, 0644));
    char deep[4000] = "", name[40];
    for (int i = 0; i < 45; i++) { /* a chain of more links than are followed */
        snprintf(name, sizeof name, "root/n%d", i);
        snprintf(deep, sizeof deep, i ? "n%d" : "a", i - 1);
        CHECK(symlink(deep, name) == 0);
    }
}

static void test_resolve(void)
{
    static const char *parts[] = { "a", "b", "c", "abs", "up", "rel", "chain", "loop1", "dot", "dotdot", "slash", "out", "dangling",
                                   "etc", "file", "link", "linkslash", "messy", "roots", "esc", "notdir", "slashes", ".", "..",
                                   "", "x y", "nope", "n5", "n15", "n44" }; /* far from the limit, which the kernel reaches sooner when it starts again */
    const size_t count = sizeof parts / sizeof *parts;
    char dir[] = "/tmp/tsbox-unit-XXXXXX", path[256];
    CHECK(mkdtemp(dir) && chdir(dir) == 0);
    make_tree();
    int root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            for (size_t k = 0; k < count; k++) {
                static const char *shapes[] = { "%s/%s/%s", "/%s/%s/%s", "%s//%s/%s/", "../%s/../%s/%s/." };
                for (int s = 0; s < 4; s++) {
                    snprintf(path, sizeof path, shapes[s], parts[i], parts[j], parts[k]);
                    same(root, path, O_PATH, (i + j + k) % 3 ? 0 : B_NOLINKS);
                    if ((i + j + k + (size_t)s) % 5 == 0)
                        same(root, path, O_PATH | O_DIRECTORY, 0);
                }
            }
    same(root, "", O_PATH, 0);
    same(root, "/etc/file", O_RDONLY, 0);
    same(root, "/etc/link", O_RDONLY, 0);
    same(root, "/etc", O_RDONLY | O_DIRECTORY, 0);
    same(root, "/", O_PATH, 0);
    int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    static const char *proc[] = { "/proc/self/exe", "/proc/self/root", "/proc/self/cwd/x", "/proc/self/fd/0", "/proc/self/ns/user",
                                  "/proc/self", "/proc/self/stat", "/proc/net/dev", "/proc/mounts", "/proc/thread-self/comm" };
    for (size_t i = 0; i < sizeof proc / sizeof *proc; i++)
        same(slash, proc[i], O_PATH, 0);
    close(slash);

    /* What is made stays beneath, through every link. */
    struct stat st;
    int fd = beneath(root, "/up/new/deep", O_PATH | O_DIRECTORY, B_MKDIR, &(struct made){ 0700, 0, 0 });
    CHECK(fd >= 0 && stat("root/etc/new/deep", &st) == 0 && (st.st_mode & 0777) == 0700);
    close(fd);
    fd = beneath(root, "dangling/y/file", O_PATH, B_MKFILE, &(struct made){ 0600, 0, 0 });
    CHECK(fd >= 0 && stat("root/nowhere/x/y/file", &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
    close(fd);
    CHECK(beneath(root, "loop1/x", O_PATH, B_MKDIR, NULL) < 0 && errno == ELOOP);
    CHECK(beneath(root, "abs/x", O_PATH, B_MKDIR | B_NOLINKS, NULL) < 0 && errno == ELOOP);
    CHECK(beneath(root, "etc/file/x", O_PATH, B_MKDIR, NULL) < 0 && errno == ENOTDIR);
    fd = beneath(root, "a/b/out/made", O_PATH, B_MKDIR, NULL);
    CHECK(fd >= 0 && stat("outside/made", &st) < 0 && stat("root/outside/made", &st) == 0);
    close(fd);
    const char *name;
    CHECK(beneath_parent(root, "a/..", 0, &name) < 0 && beneath_parent(root, "a/", 0, &name) < 0);
    fd = beneath_parent(root, "/rel/name", 0, &name);
    CHECK(fd >= 0 && !strcmp(name, "name"));
    close(fd);
    close(root);
    CHECK(chdir("/") == 0 && nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* ---- log.c ---- */

/* Feeds `input` in pieces of `piece` bytes and puts the lines together again. */
static void log_round(const char *input, size_t n, size_t piece)
{
    char name[] = "/tmp/tsbox-log-XXXXXX", *whole = malloc(n + 1);
    int fd = mkstemp(name);
    unlink(name);
    for (size_t at = 0; at < n; at += piece)
        log_write(fd, (int)(at / piece % 2), input + at, n - at < piece ? n - at : piece);
    FILE *f = fdopen(fd, "r");
    char *line = NULL;
    size_t cap = 0, got = 0;
    ssize_t len;
    rewind(f);
    while ((len = getline(&line, &cap, f)) > 0) {
        CHECK(len >= 41 && line[len - 1] == '\n' && line[29] == 'Z' && line[30] == ' ');
        CHECK(!strncmp(line + 31, "stdout ", 7) || !strncmp(line + 31, "stderr ", 7));
        CHECK((line[38] == 'F' || line[38] == 'P') && line[39] == ' ');
        size_t text = (size_t)len - 41;
        memcpy(whole + got, line + 40, text);
        got += text;
        if (line[38] == 'F')
            whole[got++] = '\n';
    }
    CHECK(got == n && !memcmp(whole, input, n));
    free(line);
    free(whole);
    fclose(f);
}

static void test_log(void)
{
    static const size_t pieces[] = { 1, 2, 3, 7, 100, 16340, 16341, 16342, 16343, 16344, 16384, 32768, 100000 };
    char *big = malloc(100000);
    for (size_t i = 0; i < 100000; i++)
        big[i] = i % 20011 == 20010 || i % 1009 == 77 ? '\n' : (char)('a' + i % 26);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        log_round("one\ntwo\n\n\nthree", 15, pieces[i]);
        log_round("\n", 1, pieces[i]);
        log_round(big, pieces[i] < 10 ? 3000 : 100000, pieces[i]);
        memset(big + 30000, 'x', 40000); /* a line longer than the buffer */
        log_round(big, pieces[i] < 10 ? 3000 : 100000, pieces[i]);
    }
    log_write(-1, 0, "x\n", 2);
    free(big);
    struct tm tm;
    time_t now = time(NULL);
    char want[32];
    strftime(want, sizeof want, "%Y-%m-%dT%H:%M", gmtime_r(&now, &tm));
    CHECK(!strncmp(stamp(), want, 16) || time(NULL) / 60 != now / 60);
}

/* ---- front.c ---- */

/* `<` stands for ctrl-p and `>` for ctrl-q. */
static void keys_case(const char *keys, const char *typed, const char *passed, int away)
{
    for (int piece = 1; piece < 5; piece++) {
        char out[64] = "", part[64];
        size_t used, nkeys = strlen(keys), at = 0;
        bool gone = false;
        for (size_t i = 0; !gone && i < strlen(typed); i += (size_t)piece) {
            size_t n = strlen(typed) - i < (size_t)piece ? strlen(typed) - i : (size_t)piece;
            gone = filter_keys(keys, nkeys, typed + i, n, part, &used);
            memcpy(out + at, part, used);
            at += used;
        }
        CHECK(gone == away && at == strlen(passed) && !memcmp(out, passed, at));
        while (!gone && !filter_keys(keys, nkeys, keys, nkeys, part, &used)) /* leave nothing held for the next case */
            ;
    }
}

static void test_keys(void)
{
    keys_case("<>", "abc", "abc", 0);
    keys_case("<>", "ab<>", "ab", 1);
    keys_case("<>", "a<b", "a<b", 0);
    keys_case("<>", "<<>", "<", 1);
    keys_case("<>", "><", ">", 0);
    keys_case("<>", "x<", "x", 0);
    keys_case("aab", "aaab", "a", 1);
    keys_case("abac", "ababac", "ab", 1);
    keys_case("<", "x<", "x", 1);
}

int main(void)
{
    test_wire();
    test_args();
    test_event();
    test_resolve();
    test_log();
    test_keys();
    fprintf(stderr, "helpers: %d checks, %d failed\n", checks, failures);
    return failures != 0;
}

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; } /* text() is never freed */
