/* Linked into the helper with sanitizers. It ends by exec or _exit and frees nothing; what is found goes to files that CI looks for, where
 * a container has such a directory, else to stderr. */
const char *__asan_default_options(void) { return "detect_leaks=0:log_path=/var/tmp/tsbox-asan:abort_on_error=0:exitcode=99"; }
const char *__ubsan_default_options(void) { return "print_stacktrace=1:log_path=/var/tmp/tsbox-asan:exitcode=99"; }
