':' //; self=$0; [ ! -L "$self" ] || self=$(readlink -f -- "$self"); helper=${TSBOX_HELPER:-${self%/*}/tsbox-helper}
':' //; case ${1-} in run | start) role=supervise ;; exec) role=join ;; *) role= ;; esac
':' //; [ -z "$role" ] || [ ! -x "$helper" ] || exec "$helper" boot "$role" node -- "$self" "$@"
':' //; exec node -- "$self" "$@"
