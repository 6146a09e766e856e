/* Limits for a process where there is no control group. */
#include "../helper.h"
/* `0,3,5` */
OP(affinity) {
    cpu_set_t set; CPU_ZERO(&set); char *end;
    for (const char *p = a[0].s; *p; p = *end == ',' ? end + 1 : end) {
        unsigned long cpu = strtoul(p, &end, 10);
        if (end == p || cpu >= CPU_SETSIZE) return fail(EINVAL);
        CPU_SET(cpu, &set);
    }
    return sched_setaffinity(0, sizeof set, &set);
}
OP(nice) { return setpriority(PRIO_PROCESS, 0, (int)a[0].v); }
