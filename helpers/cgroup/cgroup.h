/* See cgroup.c; the core calls these where it clones, waits and ends. Without a group each does nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#define INTO_CGROUP 0x200000000ULL /* CLONE_INTO_CGROUP, Linux 5.7 */
pid_t cgroup_clone(uint64_t flags, bool sibling);
bool cgroup_enter(pid_t pid), cgroup_killed(void), cgroup_oom(void), cgroup_end(void);
int cgroup_open(const char *path, bool count), cgroup_events(void);
