':' //; self=$0; [ ! -L "$self" ] || self=$(readlink -f -- "$self"); helper=${TSBOX_HELPER:-${self%/*}/tsbox-helper}
':' //; case ${1-} in run | start) role=supervise ;; exec) role=join ;; stop | kill | rm) role=processes ;; *) role= ;; esac
':' //; at=${self%/*}/..; [ -z "$role" ] || [ -x "$helper" ] || for each in "$at"/node_modules/tsbox-helper-linux-*/tsbox-helper "$at"/../tsbox-helper-linux-*/tsbox-helper; do [ ! -x "$each" ] || packaged=${packaged-}$each; done
':' //; [ ! -x "${packaged-}" ] || helper=$packaged
':' //; early=${TSBOX_ROOT:-${XDG_DATA_HOME:-${HOME-}/.local/share}/tsbox}/early
':' //; [ -z "${NODE_EXTRA_CA_CERTS-}" ] || { export TSBOX_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"; unset NODE_EXTRA_CA_CERTS; }
':' //; [ -z "$role" ] || [ ! -x "$helper" ] || TSBOX_EARLY=$early exec "$helper" boot "$role" node -- "$self" "$@"
':' //; exec node -- "$self" "$@"
