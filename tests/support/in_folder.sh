# Sourced, not run: how a script here runs a program that wants a folder for its files. POSIX sh.

# in_folder PROGRAM [ARGUMENT...]: runs it with `--folder` and an empty folder besides; its status
# is the program's. The folder goes with the script; so does the program, and with that, by the
# kernel, what it has started. Once a script.
in_folder() {
  folder=$(mktemp -d) || exit 1
  program=
  trap 'end_in_folder' EXIT
  trap 'exit 1' HUP INT TERM
  "$@" --folder "$folder" &
  program=$!
  wait "$program"
  status=$?
  program=
  return $status
}

end_in_folder() {
  if [ -n "$program" ]; then
    kill "$program" 2>/dev/null
    wait "$program" 2>/dev/null
  fi
  rm -rf "$folder"
}
