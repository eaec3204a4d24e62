#!/bin/bash
# Tells how one host is doing. Runs in the shop's directory; $1 is the name of its host.
set -u
printf '== %s, %(%F %T)T\n' "$1" -1
uptime
nproc | sed 's/$/ processors/'
free -m
df -h --output=size,used,avail,pcent .
[ -e data/prices.db ] && stat -c 'prices of %y, %s bytes' data/prices.db
[ -e maintenance ] && echo 'WARNING in maintenance'
exit 0
