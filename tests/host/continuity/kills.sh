#!/bin/bash
# Kills supervisord KILLS times at random moments, while it is asked to do all sorts of things, and then looks whether any
# program was lost or doubled, or any line of any log.
kills=$1
RANDOM=$2
logs=/var/log/supervisor
fail() { echo "FAILED: $*"; supervisorctl status; tail -n 40 $logs/supervisord.log; exit 1; }
ctl() { timeout 60 supervisorctl "$@"; }
main_pid() { systemctl show -p MainPID --value supervisord; }
answers() { ctl pid >/dev/null 2>&1; }
# Everybody in the daemon's control group, or just it: programs are elsewhere.
kill_it() { if [ $((RANDOM % 2)) = 0 ]; then systemctl kill -s KILL supervisord 2>/dev/null; else kill -9 "$1" 2>/dev/null; fi; }
pause_ms() { sleep "$(printf '0.%03d' $((RANDOM % $1)))"; }
wait_until_it_answers() {
    local i
    for i in $(seq 600); do answers && return; sleep 0.1; done
    systemctl status --no-pager supervisord
    fail "no supervisord answers"
}

wait_until_it_answers
before=$(ctl status | awk '/writer|reader/ { print $1, $4 }')
[ "$(wc -l <<<"$before")" = 12 ] || fail "not all programs run"
restarts=$(systemctl show -p NRestarts --value supervisord)

# Upgrades, starts, stops and updates go on all the time, so that kills meet them in the middle.
while :; do
    ctl restart toggle; ctl stop flap; systemctl kill -s USR1 --kill-who=main supervisord; ctl start flap; ctl update; ctl signal HUP toggle
done >/dev/null 2>&1 &
chatter=$!

killed=0
while [ "$killed" -lt "$kills" ]; do
    pid=$(main_pid)
    if [ "$pid" != 0 ] && kill_it "$pid"; then
        killed=$((killed + 1))
        # Now and then the next one is killed while it starts, else some time later.
        if [ $((RANDOM % 3)) = 0 ]; then pause_ms 120; else wait_until_it_answers; pause_ms 300; fi
    else
        sleep 0.02
    fi
done
kill $chatter; wait $chatter 2>/dev/null
wait_until_it_answers
ctl start flap toggle >/dev/null
ctl status

after=$(ctl status | awk '/writer|reader/ { print $1, $4 }')
[ "$before" = "$after" ] || fail "other pids: $(diff <(echo "$before") <(echo "$after"))"
restarts=$(($(systemctl show -p NRestarts --value supervisord) - restarts))
[ "$restarts" -ge 1 ] || fail "it was never restarted"
for name in toggle flap; do
    running=$(pgrep -fc "^sleep-$name")
    [ "$running" = 1 ] || fail "$running processes of $name: $(pgrep -fa "^sleep-")"
done
ctl stop 'writer:*' >/dev/null
lines=0
for log in $logs/writer?.log; do
    cat $(ls "$log".* 2>/dev/null | sort -t. -k3 -rn) "$log" | awk -v log_name="$log" '
        $1 != "line" || $2 != expected { print log_name ": record", NR, "is:", $0, "; expected line", expected; exit 1 }
        { expected++ }
        END { print expected + 0 > "/tmp/lines" }' || fail "a line is lost or doubled"
    lines=$((lines + $(cat /tmp/lines)))
done
[ "$lines" -gt 1000 ] || fail "the programs wrote $lines lines only"
echo "killed $killed times, systemd restarted it $restarts times, $lines lines whole and in order"
