#!/bin/bash
# Applies the night's prices to one shop. Runs in the shop's directory; $1 is the name of its host.
set -u -o pipefail
host=$1 began=$EPOCHREALTIME

setting() { sed -n "s/^$1 *= *//p" conf/host.ini; }
colour=$(setting colour) verbosity=$(setting log_level)

say() {
    local level=$1 on='' off=''
    [ "$colour" = always ] && on=$'\e[32m' off=$'\e[0m'
    [ "$colour" = always ] && [ "$level" = ERROR ] && on=$'\e[1;31m'
    printf '[%(%F %T)T][PID:%d] %s%-5s%s %s\n' -1 $$ "$on" "$level" "$off" "$2"
}
declare_tag() { echo "$1" >tag; }
fail() { say ERROR "$3"; declare_tag "$2"; exit "$1"; }
milliseconds() { echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000)); }

[ -e maintenance ] && exit 0 # out of service: nothing to do, nothing to say

say INFO "apply prices on $host"
[ "$(setting canary)" = yes ] && declare_tag canary
work=$(mktemp -d tmp.XXXXXXXXXX) && trap 'rm -rf "$work"' EXIT
say INFO "working in $work"

checksum=$(cksum <conf/shop.ini) || fail 66 no-config "the shop's settings cannot be read"
say INFO "conf/shop.ini has checksum ${checksum%% *}"

while [ -e deploy.lock ]; do
    say WARN "waiting for deploy.lock, held by $(<deploy.lock)"
    sleep 1
done

(cd inbox && sha256sum -c prices.sha256) || fail 65 bad-archive "the price archive is damaged"
tar -xzvf inbox/prices.tar.gz -C "$work" || fail 65 bad-archive "the price archive cannot be read"

for list in "$work"/prices/*.csv; do
    start=$EPOCHREALTIME
    awk -F, -v verbosity="$verbosity" -v list="$(basename "$list" .csv)" '
        { changed = $2 != $3; changes += changed; sum += $3 }
        verbosity == "trace" || (verbosity == "debug" && changed) {
            printf "  %s row %05d sku %s old %s new %s aisle %02d %s\n",
                list, NR, $1, $2, $3, NR % 12, changed ? "reprint label" : "keep label"
        }
        END { printf "%-8s %5d prices, %4d changed, mean %.2f CNY\n", list, NR, changes, sum / NR }
    ' "$list"
    say INFO "read in $(milliseconds "$start") ms"
done

sort "$work"/prices/*.csv >"$work/prices.db"
cp "$work/prices.db" data/prices.db || fail 28 disk-full "the price table cannot be written"
say INFO "data/prices.db holds $(wc -l <data/prices.db) prices"

registry=$(setting registry) start=$EPOCHREALTIME
{ exec 3<>"/dev/tcp/${registry/://}"; } || fail 111 no-registry "the registry at $registry does not answer"
echo "REGISTER $host" >&3
read -r answer <&3
say INFO "registry at $registry answered \"$answer\" after $(milliseconds "$start") ms"

cat conf/notice.txt
say INFO "done in $(milliseconds "$began") ms"
