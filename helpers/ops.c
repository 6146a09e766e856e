/* The interpreter: one table, one loop. */
#include "helper.h"
#define ENTRY(name, format) {#name, format, op_##name},
typedef int operation(struct walk *, const struct arg *, int);
static const struct { const char *name, *format; operation *run; } TABLE[] = {OPERATIONS(ENTRY)};
static int perform(struct walk *w, const struct record *r, const char *name) {
    w->detail = name;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        if (strcmp(TABLE[i].name, name)) continue;
        struct arg *a = calloc(r->n, sizeof *a);
        return !a || record_args(r, TABLE[i].format, a) || TABLE[i].run(w, a, (int)r->n - 1);
    }
    return fail(ENOSYS);
}
/* An operation whose name begins with `?` may fail. */
void walk_plan(struct walk *w, const struct plan *plan) {
    for (uint32_t i = 0; i < plan->n; i++) {
        const char *name = plan->r[i].f[0].p;
        if (perform(w, &plan->r[i], name + (*name == '?')) && *name != '?') walk_fail(w, plan->name, i, w->detail);
    }
}
