/* The interpreter: one table, one loop. */
#include "ops.h"

#define ENTRY(name, format) { #name, format, op_##name },
static const struct {
    const char *name, *format;
    int (*run)(struct walk *, const struct arg *, int);
} TABLE[] = { OPERATIONS(ENTRY) };

static int perform(struct walk *w, const struct record *r)
{
    const char *name = r->f[0].p + (r->f[0].p[0] == '?');
    w->detail = name;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        if (strcmp(TABLE[i].name, name))
            continue;
        struct arg *a = calloc(r->n, sizeof *a);
        int bad = !a || record_args(r, TABLE[i].format, a) || TABLE[i].run(w, a, (int)r->n - 1);
        free(a);
        return bad ? -1 : 0;
    }
    errno = ENOSYS;
    return -1;
}

void walk_plan(struct walk *w, const struct plan *plan)
{
    w->plan = plan->name;
    for (uint32_t i = 0; i < plan->n; i++)
        if (perform(w, &plan->r[i]) && plan->r[i].f[0].p[0] != '?')
            walk_fail(w, plan->name, i, w->detail);
}
