/* The request: header records, then plans. */
#include "helper.h"
#define ENTRY(name, format) {#name, format, offsetof(struct request, name)},
static const struct { const char *name, *format; size_t at; } TABLE[] = {HEADERS(ENTRY)};
static int header(struct request *q, const struct record *r, const char *name) {
    if (!strcmp(name, "onexit")) return r->n > 2 ? q->onexit = *r, 0 : EINVAL;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        if (strcmp(TABLE[i].name, name)) continue;
        struct arg *a = (struct arg *)((char *)q + TABLE[i].at);
        if (r->n != strlen(TABLE[i].format) + 1 || record_args(r, TABLE[i].format, a)) return EINVAL;
        char **lines = a == q->uidmap ? &q->uidmaps : &q->gidmaps;
        if (a == q->uidmap || a == q->gidmap) *lines = text("%s%s %s %s\n", *lines ? *lines : "", a[0].s, a[1].s, a[2].s);
        if (a == q->keepfd && (q->nkeep == KEEPS || a->v < 0 || a->v > 1 << 20)) return EINVAL;
        if (a == q->keepfd) q->keep[q->nkeep++] = (int)a->v;
        return strcmp(q->version->s, "1") ? EPROTO : 0;
    }
    return EINVAL;
}
/* `plan init`, or `service NAME [ready] [fuse] [early]`. */
static int open_plan(struct request *q, const struct record *r, struct plan **now) {
    bool service = r->f[0].p[0] == 's';
    if (r->n < 2 || (service ? q->nservice == SERVICES : strcmp(r->f[1].p, "init") || q->init.n)) return EINVAL;
    struct service *s = service ? &q->service[q->nservice++] : NULL;
    *now = s ? &s->plan : &q->init, (*now)->name = r->f[1].p;
    for (uint32_t i = 2; s && i < r->n; i++) *(r->f[i].p[0] == 'r' ? &s->ready : r->f[i].p[0] == 'e' ? &s->early : &s->fuse) = true;
    return 0;
}
/* From a descriptor, or (-1) the one in frame_room. 0, or an errno; *step is the record at which it failed. */
int request_read(int fd, struct request *q, const char **step) {
    struct plan *now = NULL;
    *q = (struct request){.init.name = "init"};
    for (int i = 0; i < KEEPS; i++) q->keep[i] = -1;
    int e = fd < 0 ? frame_decode(frame_room.p, frame_room.used, &q->frame) : frame_read(fd, &q->frame); *step = "request";
    for (uint32_t i = 0; !e && i < q->frame.n; i++) {
        struct record *r = &q->frame.r[i]; const char *name = *step = r->f[0].p;
        if (i == 0 && strcmp(name, "version")) return EPROTO;
        if (!strcmp(name, "plan") || !strcmp(name, "service")) e = open_plan(q, r, &now);
        else if (!now) e = header(q, r, name);
        else if (now->n++ == 0) now->r = r;
        q->barrier |= now == &q->init && !strcmp(name + (*name == '?'), "barrier");
    }
    return e ? e : q->frame.n ? 0 : EPROTO;
}
