#!/bin/sh
# Takes from a server what a machine may run out of, or lets happen to it what happens to machines,
# and says what came of it:
#
#     sh tests/faults.sh [--short] [--build DIR] [NAME...]     such as: disk kill
#
# | NAME        | what happens                                                                |
# | ----------- | --------------------------------------------------------------------------- |
# | tests       | what is quick and the same each time: groups of the test programs           |
# | descriptors | more clients than descriptors                                               |
# | memory      | clients that do not read, and an address space that ends (RLIMIT_AS)        |
# | cgroup      | the same, and a memory cgroup: the kernel kills, a supervisor starts again  |
# | disk        | logs, copies of plugins and crash counts on a file system that is full      |
# | clock       | the realtime clock jumps by an hour, and by ten years, either way           |
# | stop        | SIGSTOP for a minute                                                        |
# | folder      | the plugins folder is unmounted, and may not be read any more               |
# | kill        | kill -9 under load, again and again; clients come back by themselves        |
#
# Without a NAME: all. --short: seconds where it is a minute, few rounds where it is many; that is
# what ctest runs. --build: a built folder, instead of building build/test. disk, folder and cgroup
# want root (and mounts of their own, unshare(1)); without it they are left out, which is said. Each
# ends with a line "ok", "FAILED" or "left out"; the exit status is 0 where none failed.
set -u
me=tests/faults.sh
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/conf/setup.sh"

usage() {
  sed -n '2,/^set -u/s/^# \{0,1\}//p' "$0"
  exit "$1"
}

all="tests descriptors memory cgroup disk clock stop folder kill"
is_short=
build_folder=
names=
while [ $# -gt 0 ]; do
  case $1 in
    --short) is_short=yes ;;
    --build)
      [ $# -gt 1 ] || usage 2
      build_folder=$2
      shift
      ;;
    --help) usage 0 ;;
    *)
      case " $all " in
        *" $1 "*) names="$names $1" ;;
        *) usage 2 >&2 ;;
      esac
      ;;
  esac
  shift
done
[ -n "$names" ] || names=$all

if [ -z "$build_folder" ]; then
  install_packages $build_packages $test_packages
  say "building"
  build test || fail "the build failed; $log says why"
  build_folder=$root/build/test
fi
jackfield=$build_folder/jackfield
[ -x "$jackfield" ] || fail "there is no $jackfield"

# Mounts are this script's own: none is left behind, whatever becomes of it.
if [ "$(id -u)" -eq 0 ] && [ -z "${JACKFIELD_FAULTS_OWN_MOUNTS-}" ]; then
  if unshare -m true 2>/dev/null; then
    set -- --build "$build_folder"
    [ -z "$is_short" ] || set -- --short "$@"
    # $names is a list.
    JACKFIELD_FAULTS_OWN_MOUNTS=yes exec unshare -m sh "$root/$me" "$@" $names
  fi
fi

work=$(mktemp -d) || exit 1
chmod 755 "$work"
server=
started=  # process ids, of clients
group=    # a cgroup
clean_up() {
  for pid in $server $started; do
    kill -CONT "$pid" 2>/dev/null
    kill -9 "$pid" 2>/dev/null
  done
  wait 2>/dev/null
  for mounted in disk plugins; do umount "$work/$mounted" 2>/dev/null; done
  [ -z "$group" ] || rmdir "$group" 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# ---- what is said

did() { printf '  %s\n' "$*"; }

# holds WHAT COMMAND...: the fault fails where the command does.
holds() {
  what=$1
  shift
  if "$@"; then
    did "$what: yes"
  else
    did "$what: NO"
    verdict=FAILED
  fi
}

leave_out() {
  did "$*"
  verdict="left out"
}

# until_true SECONDS COMMAND...
until_true() {
  tries=$(($1 * 10))
  shift
  while ! "$@"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.1
  done
}

# ---- a server

# configure [LINE...]: its configuration; lines of [server] first, then a whole [plugins].
configure() {
  mkdir -p "$work/plugins" "$work/run"
  {
    printf '[server]\nlisten = ["127.0.0.1:%s"]\n' "${port:-0}"
    printf '%s\n' "$@"
  } >"$work/jackfield.toml"
}

plugins_lines() {
  printf '[plugins]\ndirectory = "%s"\nruntime_directory = "%s"\n' "$work/plugins" "${1:-$work/run}"
}

# put NAME [FILE]: a built plugin into the folder.
put() {
  for from in "$build_folder/tests/plugins" "$build_folder/plugins"; do
    [ ! -f "$from/$1.so" ] || cp "$from/$1.so" "$work/plugins/${2:-$1}.so"
  done
}

# start [PREFIX...]: runs it under a command that becomes it. Its log is $log_file.
log_file=$work/log
start() {
  rm -f "$work/out" # what the last one said
  "$@" "$jackfield" --config "$work/jackfield.toml" >"$work/out" 2>>"$log_file" &
  server=$!
  until_true 60 is_ready || {
    did "it does not start: $(tail -n 3 "$log_file")"
    return 1
  }
  url=$(sed -n 's/^listening  //p' "$work/out" | head -n 1)
  port=${url##*:}
  port=${port%/}
}
is_ready() { grep -q '^ready' "$work/out" 2>/dev/null; }
runs() { kill -0 "$server" 2>/dev/null; }
has_ended() { ! runs; }

# Its exit status is $code.
stop_it() {
  kill -CONT "$server" 2>/dev/null
  kill -TERM "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  code=$?
  server=
  for pid in $started; do kill -9 "$pid" 2>/dev/null; done
  wait $started 2>/dev/null
  started=
  exec 9>&-
  rm -rf "$work/plugins" "$work/run" "$log_file" "$work"/client.*
  port=
}
ends_well() { [ "$code" -eq 0 ]; }

# ---- what it says and does

serves() {
  timeout 20 "$jackfield" watch --url "$url" --send '["echo:a","echo",1]' --count 1 2>/dev/null |
    grep -q echoed
}
logged() {
  [ "$1" = -e ] || set -- -e "$1"
  grep -q "$@" "$log_file"
}
never_logged() { ! logged "$1"; }
status() { "$jackfield" status --config "$work/jackfield.toml" --pid "$server" "$@" 2>&1; }
status_says() { status | grep -q -e "$1"; }
counted() { status | sed -n "s/^counted  *$1 //p" | grep . || echo 0; }
connections() { status | sed -n 's/^connections  *\([0-9]*\) .*/\1/p'; }
has_connections() { [ "$(connections)" = "$1" ]; }
ticks() { sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }'; }

# clients N TOPIC: so many `jackfield watch`; what they see is in client.1, client.2...
clients() {
  client_count=$1
  i=0
  while [ $i -lt "$client_count" ]; do
    i=$((i + 1))
    "$jackfield" watch --url "$url" "$2" >"$work/client.$i" 2>/dev/null &
    started="$started $!"
  done
}
# Each of them; one that has not begun yet sees nothing.
all_see() {
  for i in $(seq "$client_count"); do
    grep -q -e "$1" "$work/client.$i" 2>/dev/null || return 1
  done
}

# ---- the faults

fault_tests() {
  for test in \
    "unit_tests HeldUp" "server_tests OutOfDescriptors" "server_tests OutOfMemory" \
    "server_tests FullDisk" "server_tests Clock" "server_tests Stopped" "server_tests Killed" \
    "server_tests PluginsFolder"; do
    holds "$test" "$build_folder/tests/${test% *}" -sg "${test#* }" >"$work/test.log" 2>&1
    grep -h -e SKIPPED -e 'yes$' -e 'NO$' "$work/test.log"
    if [ "$verdict" = FAILED ]; then
      cat "$work/test.log"
      return
    fi
  done
}

fault_descriptors() {
  configure "max_connections = 1000" "$(plugins_lines)"
  put echo
  start prlimit --nofile=60:60 || return
  clients 1 echo:first
  until_true 20 all_see subscribed || verdict=FAILED
  clients 100 echo:many
  until_true 20 logged 'accepting rests' || verdict=FAILED
  did "100 clients connect to a server with 60 descriptors: $(grep -c . "$work"/client.* |
    grep -vc ':0$') are served, the others wait"
  before=$(ticks)
  sleep 3
  used=$(($(ticks) - before))
  holds "in 3 s of waiting it uses less than half a second of the processor ($used ticks)" \
    [ "$used" -lt $(($(getconf CLK_TCK) / 2)) ]
  # Half of them go; those who waited come in.
  i=0
  for pid in $started; do
    i=$((i + 1))
    [ $((i % 2)) -eq 1 ] || kill "$pid"
  done
  sleep 1
  i=0
  for pid in $started; do
    i=$((i + 1))
    [ $i -le 3 ] || [ $((i % 2)) -eq 0 ] || [ $((i % 10)) -eq 1 ] || kill "$pid"
  done
  holds "when others have gone, new clients are served" until_true 30 serves
  holds "accepting goes on" until_true 10 logged 'accepting goes on'
  holds "it is counted" [ "$(counted accepts_paused)" -gt 0 ]
  did "said $(grep -c 'accepting rests' "$log_file") times, $(counted accepts_paused) counted"
  stop_it
  holds "it ends as it should" ends_well
}

# 30 clients that ask for 26 MiB each, and stop reading after what a pipe holds that nobody reads.
fill_memory() {
  [ -p "$work/stuck" ] || mkfifo "$work/stuck"
  exec 9<>"$work/stuck"
  i=0
  while [ $i -lt 30 ]; do
    i=$((i + 1))
    "$jackfield" watch --url "$url" --send '["flood:x","me",400]' >"$work/stuck" 2>/dev/null &
    started="$started $!"
  done
  until_true 20 all_have_asked
}
all_have_asked() {
  has_ended || [ "$(connections)" -ge 30 ] 2>/dev/null ||
    logged 'no memory for what' || logged 'dropped'
}

fault_memory() {
  configure "max_outbox_bytes = 67108864" "max_outboxes_bytes = 1073741824" "$(plugins_lines)"
  put echo
  put flood
  start || return
  size=$(awk '/^VmSize/ { print $2 }' "/proc/$server/status")
  prlimit --pid "$server" --as=$(((size + 65536) * 1024))
  did "30 clients that do not read want 26 MiB each, of an address space with 64 MiB left"
  fill_memory || verdict=FAILED
  sleep 3
  if runs; then
    did "it goes on; the log has $(grep -c -e 'connection dropped' -e 'no memory' -e 'rests' \
      "$log_file") lines of what was given up"
    holds "that is counted or said" logged -e 'connection dropped' -e 'no memory' -e 'out of memory'
    for pid in $started; do kill -9 "$pid" 2>/dev/null; done
    holds "when they have gone, it serves" until_true 30 serves
    stop_it
    holds "it ends as it should" ends_well
  else
    wait "$server"
    code=$?
    did "it ended with code $code: $(tail -n 1 "$log_file")"
    holds "with code 1 and a last line that says why" \
      [ "$code:$(tail -n 1 "$log_file")" = "1:jackfield: out of memory: the server ends" ]
    holds "it starts again" start
    holds "and serves" serves
    stop_it
  fi
}

# The kernel's files of a memory cgroup, old and new.
make_group() {
  if [ -w /sys/fs/cgroup/memory/cgroup.procs ]; then
    group=/sys/fs/cgroup/memory/jackfield-faults-$$
    mkdir "$group" && echo 50331648 >"$group/memory.limit_in_bytes" || return 1
    echo 50331648 >"$group/memory.memsw.limit_in_bytes" 2>/dev/null
  elif [ -w /sys/fs/cgroup/cgroup.subtree_control ]; then
    echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
    group=/sys/fs/cgroup/jackfield-faults-$$
    mkdir "$group" && echo 50331648 >"$group/memory.max" || return 1
    echo 0 >"$group/memory.swap.max" 2>/dev/null
  else
    return 1
  fi
}
in_group='echo $$ >"$0/cgroup.procs"; exec "$@"'

fault_cgroup() {
  if [ "$(id -u)" -ne 0 ] || ! make_group 2>/dev/null; then
    group=
    leave_out "no memory cgroup can be made: that takes root, and a cgroup file system to write to"
    return
  fi
  configure "max_outbox_bytes = 67108864" "max_outboxes_bytes = 1073741824" "$(plugins_lines)"
  put echo
  put flood
  start sh -c "$in_group" "$group" || return
  did "30 clients that do not read want 26 MiB each, in a cgroup of 48 MiB"
  fill_memory || verdict=FAILED
  until_true 20 has_ended
  if runs; then
    did "it goes on, with $(awk '/^VmRSS/ { print $2 }' "/proc/$server/status") KiB"
    holds "and serves" serves
  else
    { wait "$server"; } 2>/dev/null
    code=$?
    did "it ended with code $code (137: killed by the kernel)"
    holds "killed, or ended by itself with code 1" [ "$code" -eq 137 -o "$code" -eq 1 ]
    for pid in $started; do kill -9 "$pid" 2>/dev/null; done
    holds "started again, at once, on the same port" start sh -c "$in_group" "$group"
    holds "it serves" serves
    holds "no plugin is blamed" never_logged 'plugin crashed'
    holds "the folder of the one that was killed is gone" \
      [ "$(find "$work/run" -maxdepth 1 -name 'jackfield-[0-9]*' | wc -l)" -eq 1 ]
  fi
  stop_it
  rmdir "$group" 2>/dev/null
  group=
}

# Nothing fits any more, not even into the last page of the log.
fill_disk() {
  dd if=/dev/zero of="$work/disk/fill" bs=4k oflag=append conv=notrunc 2>/dev/null
  size=$(wc -c <"$log_file")
  { printf '%*s\n' $((4095 - size % 4096)) '' >>"$log_file"; } 2>/dev/null
}

fault_disk() {
  mkdir -p "$work/disk"
  if ! mount -t tmpfs -o size=4m,mode=755 jackfield-faults "$work/disk" 2>/dev/null; then
    leave_out "no small file system can be mounted: that takes root; the group FullDisk has it by" \
      "a limit instead"
    return
  fi
  log_file=$work/disk/log
  configure "" "$(plugins_lines "$work/disk/run")"
  put echo
  put crash
  start || return
  did "its log, its copies of plugins and its count of crashes are on a disk of 4 MiB, which is now full"
  fill_disk
  for i in 1 2 3; do
    timeout 20 "$jackfield" watch --url "$url" --send '["echo:a","no such",1]' \
      --send '["echo:a","echo",1]' --count 1 >/dev/null 2>&1
  done
  holds "it serves" serves
  put echo
  holds "a new build of a plugin is refused, with the reason" \
    until_true 20 status_says 'refused .*No space left on device'
  holds "the old generation goes on" serves
  holds "it is generation 1" status_says 'plugin  *echo .*generation 1 '
  rm "$work/disk/fill"
  holds "with room again, generation 2 comes by itself" \
    until_true 20 status_says 'plugin  *echo .*generation 2 '
  holds "what could not be logged is counted" until_true 10 logged 'log lines dropped: '
  fill_disk
  timeout 20 "$jackfield" watch --url "$url" --send '["crash:x","segv",null]' --count 1 \
    >/dev/null 2>&1
  { wait "$server"; } 2>/dev/null
  code=$?
  did "a plugin crashed it while the disk was full: code $code"
  holds "it died of that crash" [ "$code" -eq 139 ]
  rm -rf "$work"/disk/run/jackfield-[0-9]* # what it left would make room
  fill_disk
  start || verdict=FAILED
  holds "it starts on a full disk" runs
  did "$(grep -c '^refused' "$work/out") plugins refused at the start"
  rm "$work/disk/fill"
  holds "with room, they serve" until_true 20 serves
  stop_it
  holds "it ends as it should" ends_well
  umount "$work/disk"
  log_file=$work/log
}

# The clock is the server's only: faults_preload.c adds to what it reads. A word of 8 octets, the
# file's first, holds the seconds.
set_clock() {
  seconds=$1
  i=0
  while [ $i -lt 8 ]; do
    printf "\\$(printf %03o $((seconds & 255)))"
    seconds=$((seconds >> 8))
    i=$((i + 1))
  done | dd of="$work/clock" conv=notrunc 2>/dev/null
}

fault_clock() {
  preload=$build_folder/tests/faults_preload.so
  if [ ! -f "$preload" ]; then
    leave_out "there is no $preload"
    return
  fi
  dd if=/dev/zero of="$work/clock" bs=4096 count=1 2>/dev/null
  configure "ping_interval_s = 1" "ping_timeout_s = 3" "$(plugins_lines)" "scan_interval_s = 1"
  put echo
  start env LD_PRELOAD="$preload" JACKFIELD_FAULTS="$work/clock" || return
  clients 5 echo:a
  until_true 20 all_see subscribed || verdict=FAILED
  for jump in 3600 -3600 315360000 -315360000 0; do
    set_clock "$jump"
    put echo
    sleep 4
    did "by $jump s: the log says $(tail -n 1 "$log_file" | cut -d ' ' -f 1)"
    holds "it serves" serves
    holds "those 5 are connected" has_connections 5
  done
  holds "nobody was lost" never_logged 'connection lost'
  holds "each new build came: generation 6" until_true 10 status_says 'plugin  *echo .*generation 6 '
  stop_it
  holds "it ends as it should" ends_well
}

fault_stop() {
  seconds=60
  [ -z "$is_short" ] || seconds=8
  configure "ping_interval_s = 1" "ping_timeout_s = 2" "handshake_timeout_s = 2" "$(plugins_lines)"
  put echo
  start || return
  clients 10 echo:a
  until_true 20 all_see subscribed || verdict=FAILED
  did "10 clients that are pinged each second and have 2 s to answer; SIGSTOP for $seconds s"
  kill -STOP "$server"
  sleep "$seconds"
  kill -CONT "$server"
  holds "it serves at once" serves
  sleep 5
  holds "all 10 are there" has_connections 10
  holds "nobody was taken for lost" never_logged 'connection lost'
  holds "no handshake was cut" never_logged 'handshake cut'
  for pid in $started; do kill -STOP "$pid" 2>/dev/null; done
  did "now the 10 clients are stopped"
  holds "they are given up" until_true 20 has_connections 0
  did "$(counted heartbeats_missed) counted"
  stop_it
  holds "it ends as it should" ends_well
}

fault_folder() {
  configure "" "$(plugins_lines)" "scan_interval_s = 0.5"
  if ! mount -t tmpfs -o size=16m,mode=755 jackfield-faults "$work/plugins" 2>/dev/null; then
    leave_out "nothing can be mounted: that takes root; the group PluginsFolder has the other ways"
    return
  fi
  put echo
  start || return
  clients 3 echo:a
  until_true 20 all_see subscribed || verdict=FAILED
  umount "$work/plugins" || verdict=FAILED
  did "the file system with the plugins is unmounted"
  holds "the plugin ends" until_true 10 logged 'plugin removed.*plugin=echo'
  holds "the clients are told" until_true 10 all_see CHANNEL_UNLOADED
  holds "and are connected" has_connections 3
  mount -t tmpfs -o size=16m,mode=755 jackfield-faults "$work/plugins"
  put echo
  holds "mounted again, it serves" until_true 20 serves
  stop_it 2>/dev/null
  holds "it ends as it should" ends_well
  umount "$work/plugins" 2>/dev/null

  configure "" "$(plugins_lines)"
  chown 65534 "$work/run"
  put echo
  chmod 755 "$work/plugins"
  cp "$jackfield" "$work/jackfield" # where nobody may come to it
  mine=$jackfield
  jackfield=$work/jackfield
  if start setpriv --reuid=65534 --regid=65534 --clear-groups; then
    chmod 000 "$work/plugins"
    did "the folder may not be read any more, by a server that runs as nobody"
    holds "that is said" until_true 10 logged 'changes of files are looked for, not told'
    put system
    sleep 1
    holds "it serves" serves
    holds "nothing is taken for gone" never_logged 'plugin removed'
    chmod 755 "$work/plugins"
    holds "readable again, what came into it meanwhile is loaded" \
      until_true 20 logged 'plugin loaded.*plugin=system'
    jackfield=$mine
    stop_it
    holds "it ends as it should" ends_well
  else
    verdict=FAILED
  fi
  jackfield=$mine
}

# A client that comes back, after pauses that grow and differ.
come_back() {
  pause=1
  while :; do
    "$jackfield" watch --url "$url" echo:a >>"$work/client.$1" 2>/dev/null
    sleep "0.$pause$((($1 * 7 + pause) % 10))"
    [ $pause -ge 9 ] || pause=$((pause + 2))
  done
}

snapshots_are() {
  for file in "$work"/client.*; do
    [ "$(grep -c snapshot "$file")" -ge "$1" ] || return 1
  done
}

fault_kill() {
  rounds=20
  [ -z "$is_short" ] || rounds=4
  configure "" "$(plugins_lines)"
  put echo
  start || return
  configure "" "$(plugins_lines)" # with the port that it has now
  i=0
  while [ $i -lt 12 ]; do
    i=$((i + 1))
    come_back $i &
    started="$started $!"
  done
  # Load: one that asks all the time.
  (
    while :; do
      "$jackfield" watch --url "$url" --send '["echo:a","say",{"text":"x"}]' \
        --send '["echo:a","echo",1]' --count 1 >/dev/null 2>&1 || sleep 0.05
    done
  ) &
  started="$started $!"
  round=0
  while [ $round -lt $rounds ]; do
    round=$((round + 1))
    until_true 30 snapshots_are $round || verdict=FAILED
    kill -9 "$server"
    { wait "$server"; } 2>/dev/null
    start || {
      verdict=FAILED
      break
    }
  done
  did "killed $round times under load, and started again at once on the same port"
  holds "each of 12 clients has come back to a snapshot each time" \
    until_true 30 snapshots_are $((round + 1))
  holds "no plugin is blamed or set aside" never_logged 'set aside'
  holds "one runtime folder is left" \
    [ "$(find "$work/run" -maxdepth 1 -name 'jackfield-[0-9]*' | wc -l)" -eq 1 ]
  # The loops first: they would begin their clients again.
  for pid in $started; do kill -9 "$pid" 2>/dev/null; done
  stop_it
  holds "it ends as it should" ends_well
}

failed=
left_out=
for name in $names; do
  verdict=ok
  printf '%s\n' "$name"
  fault_"$name"
  if [ -n "$server" ]; then # it broke off
    verdict=FAILED
    tail -n 5 "$log_file"
    stop_it
  fi
  printf '%s: %s\n' "$name" "$verdict"
  case $verdict in
    FAILED) failed="$failed $name" ;;
    "left out") left_out="$left_out $name" ;;
  esac
done
[ -z "$left_out" ] || say "left out:$left_out"
[ -z "$failed" ] || fail "failed:$failed"
say "none failed"
