#!/bin/sh
# worker-build asks for a nightly compiler (`cargo +nightly -Z build-std`). The pinned stable one
# does the same under RUSTC_BOOTSTRAP=1, so the request is dropped and the real program is called.
[ "$1" = "+nightly" ] && shift
tool=$(basename "$0")
PATH=$TOLLGATE_PATH
export PATH
exec "$tool" "$@"
