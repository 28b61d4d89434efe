# To be sourced: a server of one's own in a temporary folder, gone with the shell.
#   start_server ROLLCALL [OPTION…]    sets `server` (its process), `url` and `secret`
#   end_server                         ends it as an operator does; its exit status

folder=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap finish EXIT

start_server() {
  local rollcall=$1
  shift
  coproc SERVER { exec "$rollcall" serve --port 0 --data "$folder/data" "$@" 2>"$folder/log"; }
  server=$SERVER_PID
  secret=$folder/data/secret
  read -r -t 30 _ url <&"${SERVER[0]}"
}

end_server() {
  local code=0
  kill "$server"
  wait "$server" || code=$?
  [ "$code" = 0 ] || cat "$folder/log" >&2
  server=
  return "$code"
}
