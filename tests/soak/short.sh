#!/bin/sh
# What ctest runs: the soak in two parts of a few seconds, with a crowd of a quarter.
#     sh tests/soak/short.sh SOAK SERVER PLUGINS-FOLDER
set -u
. "$(dirname "$0")/../support/in_folder.sh"
in_folder "$1" --server "$2" --plugins "$3" --minutes 0.2 --part-seconds 5 --size 0.25 \
  --seed "$(date +%s)"
