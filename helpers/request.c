/* The request: header records, then plans. */
#include "helper.h"

#define AT(member) offsetof(struct request, member)

/* `at`: where a record's only text goes; 0: take() knows. */
static const struct {
    const char *name, *format;
    size_t at;
} HEADER[] = {
    { "version", "s", 0 },    { "id", "s", AT(id) },         { "cwd", "s", AT(cwd) },
    { "clone", "d", 0 },      { "uidmap", "ddd", 0 },        { "gidmap", "ddd", 0 },
    { "setgroups", "s", 0 },  { "target", "dd", 0 },         { "uidmapper", "s", AT(uidmapper) },
    { "stdin", "s", 0 },      { "front", "s", AT(front) },   { "gidmapper", "s", AT(gidmapper) },
    { "tty", "dd", 0 },       { "detachkeys", "b", 0 },      { "lock", "s", AT(lock) },
    { "keepfd", "d", 0 },     { "state", "s", AT(state) },   { "log", "s", AT(log) },
    { "onexit", "s*s", 0 },   { "socket", "s", AT(socket) },
};

static void map_line(struct buf *b, const struct arg *a)
{
    for (int i = 0; i < 3; i++) {
        buf_add(b, a[i].s, a[i].n);
        buf_str(b, i < 2 ? " " : "\n");
    }
}

static int take(struct request *q, const char *name, const struct record *r, const struct arg *a)
{
    if (!strcmp(name, "version"))
        return strcmp(a->s, "1") ? EPROTO : 0;
    if (!strcmp(name, "clone"))
        q->clone = *a;
    if (!strcmp(name, "uidmap") || !strcmp(name, "gidmap"))
        map_line(*name == 'u' ? &q->uidmap : &q->gidmap, a);
    if (!strcmp(name, "setgroups"))
        q->deny_setgroups = !strcmp(a->s, "deny");
    if (!strcmp(name, "stdin"))
        q->open_stdin = !strcmp(a->s, "open");
    if (!strcmp(name, "detachkeys"))
        q->keys = *a;
    if (!strcmp(name, "onexit"))
        q->onexit = *r;
    if (!strcmp(name, "target"))
        q->pid = a[0], q->start = a[1];
    if (!strcmp(name, "tty"))
        q->tty = true, q->rows = a[0], q->cols = a[1];
    if (!strcmp(name, "keepfd")) {
        if (q->nkeep == KEEPS || a->v < 0 || a->v > 1 << 20)
            return EINVAL;
        q->keep[q->nkeep++] = (int)a->v;
    }
    return 0;
}

static int header(struct request *q, const struct record *r)
{
    struct arg a[16];
    for (size_t i = 0; i < sizeof HEADER / sizeof *HEADER; i++) {
        if (strcmp(HEADER[i].name, r->f[0].p))
            continue;
        if (!strcmp(HEADER[i].name, "onexit")) /* as long as it likes; checked when it is executed */
            return take(q, "onexit", r, NULL);
        if (r->n > 4 || record_args(r, HEADER[i].format, a))
            return EINVAL;
        if (HEADER[i].at)
            *(const char **)((char *)q + HEADER[i].at) = a[0].s;
        return take(q, HEADER[i].name, r, a);
    }
    return EINVAL;
}

/* `service NAME [ready] [fuse]` */
static int service(struct request *q, const struct record *r, struct plan **now)
{
    if (q->nservice == SERVICES || r->n < 2)
        return EINVAL;
    struct service *s = &q->service[q->nservice++];
    s->plan.name = r->f[1].p;
    for (uint32_t i = 2; i < r->n; i++) {
        s->ready |= !strcmp(r->f[i].p, "ready");
        s->fuse |= !strcmp(r->f[i].p, "fuse");
    }
    *now = &s->plan;
    return 0;
}

int request_read(int fd, struct request *q, const char **step)
{
    struct plan *now = NULL;
    *q = (struct request){ .init.name = "init" };
    *step = "request";
    int e = frame_read(fd, &q->frame);
    for (uint32_t i = 0; !e && i < q->frame.n; i++) {
        struct record *r = &q->frame.r[i];
        const char *name = *step = r->n ? r->f[0].p : "";
        if (i == 0 && strcmp(name, "version"))
            e = EPROTO;
        else if (!strcmp(name, "plan"))
            e = r->n == 2 && !strcmp(r->f[1].p, "init") ? 0 : EINVAL, now = &q->init;
        else if (!strcmp(name, "service"))
            e = service(q, r, &now);
        else if (!now)
            e = r->n ? header(q, r) : EPROTO;
        else {
            now->r = now->n ? now->r : r;
            now->n++;
            q->barrier |= now == &q->init && !strcmp(name + (*name == '?'), "barrier");
        }
        if (!e && (!strcmp(name, "plan") || !strcmp(name, "service")) && now->n)
            e = EINVAL;
    }
    return e ? e : q->frame.n ? 0 : EPROTO;
}
