#!/bin/bash
# The command as it is called: exit codes and one-line errors; and that help, manual and completions name the same things.
set -u
src=${srcdir:-.} quell=${builddir:-.}/quell failed=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# expect CODE PATTERN ARGUMENTS...: exit code, and a line of the output (of either kind).
expect() {
	local code=$1 pattern=$2 out got
	shift 2
	out=$("$quell" "$@" 2>&1)
	got=$?
	if [ $got -ne "$code" ] || ! grep -qE -- "$pattern" <<<"$out"; then
		echo "quell $*: exit $got (expected $code), said: $out"
		failed=1
	fi
}

expect 0 '^quell [0-9]' version
expect 0 '^usage: quell' help
expect 0 '^usage: quell' --help
expect 2 '^usage: quell'
expect 2 'no such command' frob
expect 2 'show: what' show
expect 2 'no such thing to show' show frob
expect 2 'has no meaning here' show ports --mac 02:00:5e:00:00:01
expect 2 'not a MAC address' show routes --mac 02:00
expect 2 'not an address' show routes --ip 198.18.0
expect 2 'expected 1 - 255' show routes --type 256
expect 2 'no such class' show ledger --class frob
expect 2 'not understood' show routes frob
expect 2 'expected seconds' top --interval 0
expect 2 'expected 1 - 1000000' top --count none
expect 2 'goes with --prove' show ledger --for 3
expect 2 'has no meaning here' show ports --metrics
expect 2 'unrecognized option' show routes --frob
expect 2 'check: which file' check
expect 2 'which neighbor' reset
expect 2 'not an address' reset frob
expect 2 '--hard has no meaning here' shutdown 10.99.0.2 --hard
expect 2 '--message has no meaning here' refresh 10.99.0.2 --message x
expect 2 'more than 255' reset 10.99.0.2 --message "$(printf '%256s' x)"
expect 1 'not UTF-8' reset 10.99.0.2 --message $'\xff'
expect 1 'quelld is not running' reset 10.99.0.2 --socket-dir "$dir"
expect 2 'reload takes no words' reload now
expect 2 'which file' audit
expect 2 'stands before its options' --json audit
expect 0 '^usage: quell audit' audit help
expect 2 'go together' audit --before "$dir/a.pcap"
expect 2 'one of them' audit "$dir/a.pcap" --before "$dir/b.pcap" --after "$dir/c.pcap"
expect 2 'not a prefix' audit "$dir/a.pcap" --prefix 198.18
expect 2 'not a MAC' audit "$dir/a.pcap" --own 02:00
expect 2 'expected PORT=FILE' audit --port swp1
expect 2 'expected 1 - 4294967295' audit "$dir/a.pcap" --member ASfrob
expect 2 'expected a number' audit "$dir/a.pcap" --limit -1
expect 2 'two readings' audit --ledger "$dir/a.json"
expect 2 'knows no senders' audit --ledger "$dir/a.json" "$dir/b.json" --member 64500
expect 2 'go with --live' audit "$dir/a.pcap" --for 5
expect 2 'only one form' audit "$dir/a.pcap" --json --csv
expect 2 'unrecognized option' audit --frob
expect 1 'a.pcap: No such file' audit "$dir/a.pcap"
expect 1 'unable to open' audit --ledger "$dir/a.json" "$dir/b.json"
expect 1 'frob' audit --live frob
expect 2 'expected add PORT or del PORT' quarantine
expect 2 'expected add PORT or del PORT' quarantine put swp1
expect 1 'quell-agent is not running' quarantine add swp1 --socket-dir "$dir"
expect 1 'neither quelld nor quell-agent is running' reload --socket-dir "$dir"
expect 1 'quelld is not running' show neighbors --socket-dir "$dir"
expect 1 'quell-agent is not running' show ledger --socket-dir "$dir"
expect 1 'quell-agent is not running' top --count 1 --socket-dir "$dir"
expect 1 'quell-agent is not running' show ledger --prove swp1 --socket-dir "$dir"
expect 1 'quell-agent is not running' show status --socket-dir "$dir"
expect 1 'No such file' check "$dir/none.yaml"
expect 1 'No such file' show ports -c "$dir/none.yaml"

cat >"$dir/members.yaml" <<-END
	members:
	  - asn: 64500
	    name: Example Networks
	    ports:
	      - port: swp1
	        macs: [02:00:5e:00:00:01]
	        ipv4: [198.18.0.1]
END
cat >"$dir/good.yaml" <<-END
	router-id: 10.99.0.1
	run-dir: $dir/run
	bgp: {as: 65000, neighbors: [{address: 10.99.0.2, remote-as: 65000}]}
	lans:
	  - {name: ixp, vni: 100, prefixes: [198.18.0.0/21], registry: [$dir/members.yaml]}
END
sed 's/vni: 100/vni: 0/' "$dir/good.yaml" >"$dir/bad.yaml"
sed 's/198.18.0.1/198.19.0.1/' "$dir/members.yaml" >"$dir/outside.yaml"
sed 's/members.yaml/outside.yaml/' "$dir/good.yaml" >"$dir/registry.yaml"
expect 0 'LAN ixp: registry of 1 member, 1 port, 1 MAC, 1 address$' check "$dir/good.yaml"
expect 0 '"ok": true' check --json "$dir/good.yaml"
expect 1 '^.*/bad.yaml:[0-9]+:[0-9]+: .*vni' check "$dir/bad.yaml"
expect 1 '^.*/outside.yaml:[0-9]+:[0-9]+: .*198.19.0.1' check "$dir/registry.yaml"
sed 's#members.yaml\]#members.yaml], agent: {bridge: b, vxlan: v, sponge: {mac: "02:00:5e:00:00:01"}}#' "$dir/good.yaml" >"$dir/sponge.yaml"
expect 1 'LAN ixp: agent.sponge.mac: 02:00:5e:00:00:01 is registered for AS64500$' check "$dir/sponge.yaml"
expect 1 "quelld is not running: no $dir/run/quelld.sock" show lan -c "$dir/good.yaml"

# quell registry
registry=$dir/members.yaml
expect 0 '^usage: quell registry' registry help
expect 0 '^usage: quell registry' registry fetch --help
expect 2 '^usage: quell registry' registry
expect 2 'registry frob: no such command' registry frob
expect 2 'registry stands before its options' --json registry show
expect 2 'unrecognized option' registry show --frob
expect 2 'registry fetch: --asn has no meaning here' registry fetch --asn 64500
expect 2 'registry show: --force has no meaning here' registry show --force
expect 2 'registry diff: --lan has no meaning here' registry diff a b --lan ixp
expect 2 'fetch takes one LAN' registry fetch a b
expect 2 '--dry-run changes nothing to reload' registry fetch --dry-run --reload
expect 2 'reload takes no words' registry reload ixp
expect 0 'nothing new to take over' registry reload -c "$dir/good.yaml"
expect 2 'import: which files' registry import
expect 2 '--force goes with -o' registry import "$registry" --force
expect 2 '--json goes with -o' registry import "$registry" --json
expect 2 'show takes one LAN or file' registry show a b
expect 2 'expected two files' registry diff "$registry"
expect 2 'check: which files' registry check
expect 2 '--asn 0: not an AS number' registry show --asn 0
expect 2 '--asn AS: not an AS number' registry show --asn AS
expect 2 '--mac 02:00: not a MAC address' registry show --mac 02:00
expect 2 '--ip 198: not an address' registry show --ip 198
expect 1 'No such file' registry fetch -c "$dir/none.yaml"
expect 1 'no LAN has fetch: nothing says where from' registry fetch -c "$dir/good.yaml"
expect 1 'LAN ixp has no fetch: nothing says where from' registry fetch ixp -c "$dir/good.yaml"
expect 1 'no LAN frob' registry fetch frob -c "$dir/good.yaml"
expect 1 'no LAN frob' registry check "$registry" -c "$dir/good.yaml" --lan frob
expect 1 'no such file, and no such LAN in .*/good.yaml: frob' registry show frob -c "$dir/good.yaml"
expect 1 'none.yaml: No such file' registry check "$dir/none.yaml"
expect 1 'none.yaml: No such file' registry diff "$registry" "$dir/none.yaml"
expect 1 '/none/out.yaml.*No such file' registry import "$registry" -o "$dir/none/out.yaml"
expect 1 'Is a directory' registry check "$dir"
expect 0 'AS64500 +Example Networks .*swp1 .*02:00:5e:00:00:01 +198.18.0.1$' registry show "$registry"
expect 0 'AS64500 +Example Networks' registry show ixp -c "$dir/good.yaml"
expect 0 '^nobody$' registry show "$registry" --asn AS64501
expect 0 '"asn": 64500' registry show "$registry" --json
expect 0 '^good: 1 member, 1 port, 1 MAC, 1 address, 0 given to nobody$' registry check "$registry" -c "$dir/good.yaml"
expect 1 "198.19.0.1" registry check "$dir/outside.yaml" -c "$dir/good.yaml"
expect 0 '^~ swp1 AS64500 addresses \[198.18.0.1\] -> \[198.19.0.1\]$' registry diff "$registry" "$dir/outside.yaml"
expect 0 '^the same$' registry diff "$registry" "$registry"
expect 0 '^# Written by quell registry import' registry import "$registry"
expect 0 'is written$' registry import "$registry" -o "$dir/out.yaml"
expect 0 'nothing has changed' registry import "$registry" -o "$dir/out.yaml"
expect 1 'was not written by quell registry' registry import "$registry" -o "$dir/outside.yaml"

# Two frames of member AS64500: a decent ARP request, and LLDP.
printf '\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\4\0\0\0\0\0\1' >"$dir/swp1.pcap"
printf '\x65\x53\xf1\0\0\0\0\0\0\0\0\x2a\0\0\0\x2a\xff\xff\xff\xff\xff\xff\2\0\x5e\0\0\1\x08\6\0\1\x08\0\6\4\0\1\2\0\x5e\0\0\1\xc6\x12\0\1\0\0\0\0\0\0\xc6\x12\0\2' >>"$dir/swp1.pcap"
expect 0 '^PASS' audit "$dir/swp1.pcap" -c "$dir/good.yaml"
expect 0 '^PASS' audit "$dir/swp1.pcap" -c "$dir/good.yaml" --member 64500
expect 3 'not heard' audit "$dir/swp1.pcap" -c "$dir/good.yaml" --member 64599
gzip -k "$dir/swp1.pcap"
expect 0 '^PASS' audit --port swp1="$dir/swp1.pcap.gz" -c "$dir/good.yaml" --limit 0
printf '\x65\x53\xf1\1\0\0\0\0\0\0\0\x10\0\0\0\x10\1\x80\xc2\0\0\x0e\2\0\x5e\0\0\1\x88\xcc\2\7' >>"$dir/swp1.pcap"
expect 3 '^FAIL' audit "$dir/swp1.pcap" -c "$dir/good.yaml" --evidence "$dir"
expect 3 '^FAIL' audit "$dir/AS64500-discovery.pcap" -c "$dir/good.yaml"
expect 3 '^FAIL' audit --before "$dir/swp1.pcap" --after "$dir/swp1.pcap"
expect 0 '^PASS' audit --before "$dir/swp1.pcap" --after "$dir/swp1.pcap" --limit 2
expect 1 'No such file' audit "$dir/swp1.pcap" --html="$dir/none/report.html"
head -c 90 "$dir/swp1.pcap" >"$dir/cut.pcap"
expect 0 'cut.pcap: record 2 at octet 82: the file ends within it' audit --port swp1="$dir/cut.pcap" -c "$dir/good.yaml"

# No colour for what is no terminal.
if "$quell" help | grep -q "$(printf '\033')"; then
	echo "colours into a pipe"
	failed=1
fi

# Every word and option of the help is in the manual and in both completions.
for word in $("$quell" help | grep -oE -- '--[a-z-]+' | sort -u) status neighbors routes lan bmp bindings macs ports ledger check refresh reset shutdown enable; do
	plain=${word#--}
	for file in docs/quell.1 cli/completion/bash/quell cli/completion/zsh/_quell; do
		if ! grep -qE -- "(\\\\-|--| |\(|\")$plain\b" "$src/$file"; then
			echo "$file does not know $word"
			failed=1
		fi
	done
done
for word in $("$quell" registry help | grep -oE -- '--[a-z-]+' | sort -u) fetch reload import show diff check; do
	for file in docs/quell-registry.1 cli/completion/bash/quell cli/completion/zsh/_quell; do
		if ! grep -qE -- "(\\\\-|--| |\\(|\")${word#--}\b" "$src/$file"; then
			echo "$file does not know $word"
			failed=1
		fi
	done
done
# The completion's classes are those of the ledger.
for class in $(sed -n 's/^[[:space:]]*X([A-Z0-9_]*, "\([a-z0-9-]*\)", [A-Z_]\{2,\}).*/\1/p' "$src/proxyarp/class.h"); do
	for file in cli/completion/bash/quell cli/completion/zsh/_quell; do
		if ! grep -qwE -- "$class" "$src/$file"; then
			echo "$file does not know the class $class"
			failed=1
		fi
	done
done
# shellcheck disable=SC1091
. "$src/cli/completion/bash/quell"
# completes LAST-WORD-EXPECTED... -- WORDS...
completes() {
	local want=$1
	shift
	COMP_WORDS=(quell "$@") COMP_CWORD=$#
	_quell
	if [[ " ${COMPREPLY[*]} " != *" $want "* ]]; then
		echo "completion of quell $*: ${COMPREPLY[*]} (expected $want)"
		failed=1
	fi
}
completes show sh
completes routes show r
completes --type show routes --t
completes registry reg
completes fetch registry f
completes --force registry fetch --f
completes --asn registry show --a
completes arp-probe show ledger --class arp-
exit $failed
