#!/bin/sh
# The units: what systemd thinks of their sandboxes, and that it understands every line. The examples: what quell thinks of them.
set -u
build=$PWD
cd "${srcdir:-.}" || exit 1
status=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
	echo "$*"
	status=1
}

# exposure UNIT MOST: in tenths, the most that `systemd-analyze security` may give it
exposure() {
	got=$(SYSTEMD_LOG_LEVEL=err systemd-analyze security --offline=yes --no-pager "packaging/systemd/$1" |
		sed -n 's/.*exposure level.*: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
	echo "$1: $got"
	[ -n "$got" ] && [ "$got" -le "$2" ] || fail "$1: exposure $got tenths, at most $2 wanted"
}

for example in packaging/examples/*.yaml; do
	case $example in */members.yaml) continue ;; esac
	sed "s#/etc/quell/#$PWD/packaging/examples/#" "$example" >"$scratch/quell.yaml"
	"$build/quell" check "$scratch/quell.yaml" || fail "$example: see above"
done

if ! systemd-analyze --version 2>/dev/null | grep -q '^systemd 25[2-9]\|^systemd 2[6-9]'; then
	[ $status -eq 0 ] || exit 1
	echo "no systemd-analyze of version 252 or later: the units were not looked at"
	exit 77
fi
exposure quelld.service 20
exposure quell-agent.service 30
exposure quell-registry.service 20

# Verified as they will be installed, with programs that are there.
for unit in packaging/systemd/*.service packaging/systemd/*.timer; do
	sed "s#/usr/sbin/#$build/#; s#/usr/bin/quell#$build/quell#" "$unit" >"$scratch/${unit##*/}"
done
said=$(systemd-analyze verify --man=no "$scratch"/*.service "$scratch"/*.timer 2>&1 | grep -F "$scratch" || true)
[ -z "$said" ] || fail "$said"
exit $status
