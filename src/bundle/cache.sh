#!/bin/sh
# npm run build:cache: runs the commands that must be quick, so that what they execute lies compiled in the code caches
# (src/cli/pack.ts). Where a command cannot work (no user namespaces on the machine that builds), its cache holds less, and nothing else
# changes.
set -u
dir=$(mktemp -d)
trap 'dist/tsbox.cjs rm -f warm >/dev/null 2>&1; rm -rf "$dir"' EXIT
chmod 711 "$dir" # whoever is root inside is somebody else when root builds
export TSBOX_CODE_CACHE=grow TSBOX_ROOT="$dir/root" TSBOX_RUNTIME_DIR="$dir/run"

rm -f dist/*.cache
tsbox() { timeout 20 dist/tsbox.cjs "$@" >/dev/null 2>&1; }

# The end of an archive: an image without a file is enough for everything up to the command.
head -c 1024 /dev/zero | tsbox import - warm
# Twice: the second finds what the first has learned of the machine, as every later one will.
for image in warm warm host host; do
  tsbox run --rm --network none "$image" true
done
tsbox run --rm host true
tsbox run --rm host true
# What not every run needs is compiled for who does: networks, volumes, limits.
tsbox network create warm
for _ in 1 2; do
  tsbox run --rm --network warm -v "$dir":/warm:ro -v warm:/volume host true
  tsbox run --rm --network none --limits best-effort --memory 1g host true
done
tsbox network rm warm
tsbox volume rm warm
tsbox run -d --name warm --network none host sleep 60
while read -r line; do
  # shellcheck disable=SC2086 # words
  tsbox $line </dev/null
done <<END
exec warm true
exec warm true
ps
ps -a
images
inspect warm
logs warm
stats --no-stream warm
stop -t 0 warm
start warm
commit warm made
tag made 127.0.0.1:1/made
save -o $dir/made.tar made
load -i $dir/made.tar
push 127.0.0.1:1/made
pull 127.0.0.1:1/made
rmi 127.0.0.1:1/made
rm -f warm
info
container ls
image ls
END
exit 0
