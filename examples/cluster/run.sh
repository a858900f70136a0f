#!/usr/bin/env bash
# Three nodes over PostgreSQL and Redis behind nginx, on this machine only, to try it out: `make cluster`.
# Needs the four programs and the server's binary. Ctrl-C stops all; the data is there the next time.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
binary=${CONFAB_BIN:-$here/../../target/release/confab}
data=${CLUSTER_DATA:-./cluster-data}
port=${CLUSTER_PORT:-8080}                     # of nginx
node_port=${CLUSTER_NODE_PORT:-3001}           # of the first node; the others have the next two
postgres_port=${CLUSTER_POSTGRES_PORT:-5433}
redis_port=${CLUSTER_REDIS_PORT:-6380}

PATH=$PATH:/usr/sbin:$(printf '%s:' /usr/lib/postgresql/*/bin)
nodes=(1 2 3)
declare -A pids names

fail() { printf '%s\n' "$*" >&2; exit 1; }

# Runs a program in the background, out of the reach of Ctrl-C, which is for this script.
run() {
    local name=$1; shift
    setsid -- "$@" >>"$data/log/$name.log" 2>&1 &
    pids[$name]=$! names[$!]=$name
    echo $! >"$data/$name.pid"
}

# PostgreSQL refuses to run as root.
if [ "$(id -u)" = 0 ]; then as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups --); else as_postgres=(env); fi

# Sends a signal and waits for the end.
end() {
    local signal=$1 name waiting=(); shift
    for name; do
        [ -n "${pids[$name]:-}" ] || continue
        kill "-$signal" "${pids[$name]}" 2>/dev/null || true
        waiting+=("${pids[$name]}")
    done
    wait "${waiting[@]}" 2>/dev/null || true
}

stop() {
    trap '' INT TERM HUP
    end TERM "${nodes[@]/#/node-}"    # they say goodbye to their clients
    end TERM nginx redis
    end INT postgres
    rm -f "$data"/*.pid
}

# Tries a command until it succeeds.
until_ready() {
    local name=$1; shift
    for _ in {1..150}; do
        if "$@" >/dev/null 2>&1; then return; fi
        kill -0 "${pids[$name]}" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$data/log/$name.log" >&2
    fail "$name did not start; all that it said is in $data/log/$name.log"
}

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_node() {
    local number=$1
    mkdir -p "$data/node-$number"
    run "node-$number" env CONFAB_NODE_NAME="node-$number" CONFAB_LISTEN="127.0.0.1:$((node_port + number - 1))" \
        CONFAB_DATA_DIR="$data/node-$number" "$binary" serve
}

for program in redis-server redis-cli nginx initdb postgres psql; do
    command -v $program >/dev/null || fail "$program is missing: make services"
done
[ -x "$binary" ] || fail "there is no server at $binary: make server, or set CONFAB_BIN"
for each in "$port" "$redis_port" "$postgres_port" "$node_port" $((node_port + 1)) $((node_port + 2)); do
    ! is_open "$each" || fail "something listens on port $each already; the ports can be set: see the head of $0"
done

mkdir -p "$data/log" "$data/nginx" "$data/postgres"
data=$(cd "$data" && pwd)
if [ "$(id -u)" = 0 ]; then chown postgres: "$data/postgres"; fi
"${as_postgres[@]}" test -w "$data/postgres" || fail "the user postgres cannot get to $data: name another folder by CLUSTER_DATA"
umask 077
[ -s "$data/secret" ] || head -c 32 /dev/urandom | base64 >"$data/secret"

trap stop EXIT
trap 'exit 0' INT TERM HUP

[ -e "$data/postgres/PG_VERSION" ] ||
    (cd / && "${as_postgres[@]}" "$(command -v initdb)" -D "$data/postgres" -U postgres --auth=trust -E UTF8 --locale=C) >"$data/log/initdb.log"
run postgres "${as_postgres[@]}" "$(command -v postgres)" -D "$data/postgres" -c port="$postgres_port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories=
database=postgres://postgres@127.0.0.1:$postgres_port
until_ready postgres psql -X -c 'SELECT 1' "$database/postgres"
psql -X -A -t -c '\l' "$database/postgres" | grep -q '^confab|' || psql -X -q -c 'CREATE DATABASE confab' "$database/postgres"

# What Redis holds is found again by itself: it keeps nothing.
run redis redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$data"
until_ready redis redis-cli -p "$redis_port" ping

CONFAB_DATABASE_URL=$database/confab
CONFAB_REDIS_URL=redis://127.0.0.1:$redis_port
CONFAB_JWT_SECRET=$(cat "$data/secret")
CONFAB_STICKY_COOKIE=confab_node
CONFAB_ACCOUNTS=open
export CONFAB_DATABASE_URL CONFAB_REDIS_URL CONFAB_JWT_SECRET CONFAB_STICKY_COOKIE CONFAB_ACCOUNTS
for number in "${nodes[@]}"; do start_node "$number"; done
for number in "${nodes[@]}"; do until_ready "node-$number" is_open $((node_port + number - 1)); done

# Its folders are here, and its workers may write there: as root it would give them another user.
{
    [ "$(id -u)" != 0 ] || echo 'user root;'
    # By way of letters: a port that was put in may be one that is to be replaced.
    sed -e 's/127\.0\.0\.1:8080/@nginx@/g; s/127\.0\.0\.1:300\([123]\)/@node\1@/g' \
        -e "s/@nginx@/127.0.0.1:$port/; s/@node1@/127.0.0.1:$node_port/" \
        -e "s/@node2@/127.0.0.1:$((node_port + 1))/; s/@node3@/127.0.0.1:$((node_port + 2))/" \
        -e 's/^http {/&\n    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;/' \
        "$here/nginx.conf"
} >"$data/nginx/nginx.conf"
run nginx nginx -p "$data/nginx" -c nginx.conf -e stderr -g 'daemon off; pid nginx.pid;'
until_ready nginx is_open "$port"

cat <<END

Open http://127.0.0.1:$port/ in a browser: make an account, or come in as a guest. A private window is another person.
nginx sends clients to node-1, node-2 and node-3, on ports $node_port to $((node_port + 2)).

  A token:    CONFAB_JWT_SECRET=\$(cat $data/secret) $binary token --user-id 7 --username Seven
  A failure:  kill -9 \$(cat $data/node-2.pid)    (a node that ends is started again)
  Redis:      redis-cli -p $redis_port
  PostgreSQL: psql $database/confab
  Logs:       $data/log

Data is kept in $data. Ctrl-C stops.

END

# Until Ctrl-C, or until something ends that only a person can bring back.
while wait -n -p ended 2>/dev/null || true; do
    name=${names[$ended]}
    case $name in
        node-*) printf '%s ended, and is started again\n' "$name"; sleep 1; start_node "${name#node-}" ;;
        *) fail "$name ended; what it said is in $data/log/$name.log" ;;
    esac
done
