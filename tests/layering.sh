#!/bin/sh
# The floors: a file includes only its own or those below (docs/architecture.md). Fails with the line that does not.
set -u
cd "${srcdir:-.}" || exit 1
status=0

# check FOLDER ALLOWED...: every #include "folder/file.h" in FOLDER names an allowed folder.
check() {
	dir=$1
	shift
	allowed=$(printf '%s|' "$@" | sed 's/|$//')
	bad=$(grep -nE '^#[[:space:]]*include "[a-z]+/' "$dir"/*.[ch] 2>/dev/null |
		grep -vE "\"($allowed)/[^\"]*\"" || true)
	if [ -n "$bad" ]; then
		echo "$dir/ includes what is not its own floor or below ($allowed):"
		echo "$bad"
		status=1
	fi
}

check lib lib
check bgp bgp lib
check registry registry lib
check proxyarp proxyarp lib
check evpn evpn bgp lib
check config config proxyarp lib
check proxyarp/linux proxyarp lib
check audit audit registry proxyarp lib
check cli cli audit config registry evpn proxyarp lib
check lab lab proxyarp lib

# Pure floors know neither sockets nor clocks nor Linux.
impure=$(grep -nE '^#[[:space:]]*include <(linux/|sys/socket|sys/epoll|net/|netinet/(ip|tcp|if_)|time\.h|event2/|pcap|bpf/|netlink/)' \
	bgp/*.[ch] evpn/*.[ch] proxyarp/*.[ch] registry/*.[ch] config/*.[ch] 2>/dev/null |
	grep -v 'proxyarp/layout.h:.*<linux/types.h>' || true)
if [ -n "$impure" ]; then
	echo "a pure floor includes what belongs in daemon/ or proxyarp/linux/:"
	echo "$impure"
	status=1
fi
clock=$(grep -nE '\b(clock_gettime|gettimeofday|time\(NULL\))' bgp/*.c evpn/*.c proxyarp/*.c registry/*.c config/*.c 2>/dev/null || true)
if [ -n "$clock" ]; then
	echo "a pure floor reads a clock:"
	echo "$clock"
	status=1
fi
exit $status
