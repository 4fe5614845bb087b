#!/bin/sh
# What ctest runs: the soak in two parts of a few seconds, with a crowd of a quarter.
#     sh tests/soak/short.sh SOAK SERVER PLUGINS-FOLDER
set -u
folder=$(mktemp -d) || exit 1
soak=
end() {
  if [ -n "$soak" ]; then
    kill "$soak" 2>/dev/null # the kernel ends its server with it
    wait "$soak" 2>/dev/null
  fi
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 1' HUP INT TERM
"$1" --server "$2" --plugins "$3" --folder "$folder" --minutes 0.2 --part-seconds 5 --size 0.25 \
  --seed "$(date +%s)" &
soak=$!
wait "$soak"
status=$?
soak=
exit $status
