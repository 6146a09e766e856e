/* The request: header records, then plans. */
#include "helper.h"

static const struct { const char *name, *format; size_t at; } HEADER[] = {
#define INTO(member) offsetof(struct request, member)
    {"version", "s", INTO(version)},     {"id", "s", INTO(id)},           {"cwd", "s", INTO(cwd)},
    {"clone", "d", INTO(clone)},         {"target", "dd", INTO(target)},  {"lock", "s", INTO(lock)},
    {"state", "s", INTO(state)},         {"log", "s", INTO(log)},         {"socket", "s", INTO(socket)},
    {"front", "s", INTO(front)},         {"tty", "dd", INTO(tty)},        {"detachkeys", "b", INTO(keys)},
    {"uidmapper", "s", INTO(uidmapper)}, {"stdin", "s", INTO(in)},        {"gidmapper", "s", INTO(gidmapper)},
    {"setgroups", "s", INTO(setgroups)}, {"uidmap", "ddd", 0},            {"gidmap", "ddd", 0},
    {"keepfd", "d", 0},
};

/* A record that may be repeated. */
static int repeated(struct request *q, const struct arg *a, const char *name) {
    char **map = *name == 'u' ? &q->uidmap : &q->gidmap;
    if (*name == 'k' && (q->nkeep == KEEPS || a->v < 0 || a->v > 1 << 20)) return EINVAL;
    if (*name == 'k') q->keep[q->nkeep++] = (int)a->v;
    else *map = text("%s%s %s %s\n", *map ? *map : "", a[0].s, a[1].s, a[2].s);
    return 0;
}

static int header(struct request *q, const struct record *r, const char *name) {
    struct arg a[3];
    if (!strcmp(name, "onexit")) return q->onexit = *r, 0;
    for (size_t i = 0; i < sizeof HEADER / sizeof *HEADER; i++) {
        if (strcmp(HEADER[i].name, name)) continue;
        if (r->n > 4 || record_args(r, HEADER[i].format, a)) return EINVAL;
        if (i && !HEADER[i].at) return repeated(q, a, name);
        memcpy((char *)q + HEADER[i].at, a, (r->n - 1) * sizeof *a);
        return strcmp(q->version.s, "1") ? EPROTO : 0;
    }
    return EINVAL;
}

/* `plan init`, or `service NAME [ready] [fuse]`. */
static int open_plan(struct request *q, const struct record *r, struct plan **now) {
    bool service = r->f[0].p[0] == 's';
    if (r->n < 2 || (service ? q->nservice == SERVICES : strcmp(r->f[1].p, "init") != 0)) return EINVAL;
    struct service *s = service ? &q->service[q->nservice++] : NULL;
    *now = s ? &s->plan : &q->init;
    if ((*now)->n) return EINVAL;
    (*now)->name = r->f[1].p;
    for (uint32_t i = 2; s && i < r->n; i++) *(r->f[i].p[0] == 'r' ? &s->ready : &s->fuse) = true;
    return 0;
}

/* 0, or an errno; *step is the record at which it failed. */
int request_read(int fd, struct request *q, const char **step) {
    struct plan *now = NULL;
    struct frame f = {0};
    *q = (struct request){.init.name = "init"};
    *step = "request";
    int e = frame_read(fd, &f);
    if (!e && !f.n) e = EPROTO;
    for (uint32_t i = 0; !e && i < f.n; i++) {
        struct record *r = &f.r[i];
        const char *name = *step = r->f[0].p;
        if (i == 0 && strcmp(name, "version")) return EPROTO;
        if (!strcmp(name, "plan") || !strcmp(name, "service")) e = open_plan(q, r, &now);
        else if (!now) e = header(q, r, name);
        else if (now->n++ == 0) now->r = r;
        q->barrier |= now == &q->init && !strcmp(name + (*name == '?'), "barrier");
    }
    return e;
}
