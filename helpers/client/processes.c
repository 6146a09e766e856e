/* For a program that signals several processes or waits for them: a line `ID kill PID START SIGNAL` or `ID wait PID START [MS]` on the channel is
 * answered with `ID STATUS`, the status of the role of that name. Waits overlap, so each line has a child; all end with the channel. */
#include "../helper.h"
enum { WORDS = 5 };
static int answer(char *line) {
    char *word[WORDS + 1] = {NULL}, *at = line; int n = 0;
    while (n < WORDS && (word[n] = strsep(&at, " \n")) && *word[n]) n++;
    word[n] = NULL;
    int status = n == WORDS && !strcmp(word[1], "kill") ? proc_kill(word) : n >= WORDS - 1 && !strcmp(word[1], "wait") ? proc_wait(word) : FAIL;
    const char *said = text("%s %d\n", n ? word[0] : "", status);
    return write_all(CHANNEL, said, strlen(said)) ? 0 : FAIL;
}
int processes(void) {
    char *line = NULL; size_t room = 0; FILE *in = fdopen(CHANNEL, "r");
    if (!in) return FAIL;
    close(SIGNAL_PIPE), signal(SIGCHLD, SIG_IGN);
    while (getline(&line, &room, in) > 0) {
        pid_t pid = fork();
        if (pid == 0) tie_to_parent(), _exit(answer(line));
        if (pid < 0) dprintf(CHANNEL, "%s %d\n", strsep(&(char *){line}, " \n"), FAIL);
    }
    return 0;
}
