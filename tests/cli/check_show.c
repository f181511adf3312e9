/* `quell show`: canned answers of the daemons, and what is made of them; answers that are not what they should be. */
#include "cli/show.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static json_t *load(const char *text)
{
	json_error_t e;
	json_t *v = json_loads(text, 0, &e);

	ck_assert_msg(v != NULL, "%s", e.text);
	return v;
}

static char *rendered(const char *noun, const char *answer, const struct show_options *o)
{
	json_t *v = load(answer);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	show_narrow(noun, v, o);
	show_render(noun, v, o, f);
	fclose(f);
	json_decref(v);
	return text;
}

#define NEIGHBORS                                                                                  \
	"{\"neighbors\":["                                                                         \
	"{\"address\":\"10.99.0.10\",\"name\":\"pe10\",\"state\":\"Idle\",\"remote_as\":65000,\"since_s\":3," \
	"\"routes_in\":0,\"routes_refused\":0,\"routes_out\":0,\"queued_octets\":0,\"flaps\":3,\"last_error\":\"hold timer\"}," \
	"{\"address\":\"10.99.0.2\",\"name\":\"\",\"state\":\"Established\",\"remote_as\":4200000000,"  \
	"\"since_s\":90000,\"routes_in\":812,\"routes_refused\":12,\"routes_out\":1200,\"queued_octets\":5,\"flaps\":0,"  \
	"\"last_error\":\"\",\"shutdown\":false}]}"

#define ALARMS                                                                                     \
	"{\"total\":8,\"alarms\":[{\"time\":\"2026-01-02T00:00:00Z\",\"age_s\":1,\"count\":7,\"lan\":\"ixp\","             \
	"\"mac\":\"02:00:5e:00:00:01\",\"ip\":null,\"vtep\":\"10.99.0.2\",\"what\":\"it moves\"},"             \
	"{\"time\":\"2026-01-02T00:00:00Z\",\"age_s\":0,\"count\":3,\"lan\":\"ixp\",\"port\":\"swp1\","         \
	"\"mac\":\"02:00:5e:00:00:03\",\"ip\":null,\"rule\":\"discovery\",\"class\":\"lldp\",\"would\":true,"    \
	"\"what\":\"no LLDP\"},"                                                                   \
	"{\"time\":\"2026-01-01T00:00:00Z\",\"age_s\":9,\"count\":1,\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:02\","         \
	"\"ip\":\"198.18.0.1\",\"vtep\":null,\"what\":\"two MACs\"}]}"

#define SPONGE                                                                                     \
	"{\"lans\":[{\"name\":\"ixp\",\"mac\":\"02:71:75:00:00:64\",\"on\":true,\"learning_s\":12,\"paused\":false,"   \
	"\"sponged\":1,\"static\":1,\"pending\":1,\"ignored\":3,\"queries\":200}],\"sponge\":["                    \
	"{\"lan\":\"ixp\",\"ip\":\"2001:db8:100::9\",\"state\":\"static\",\"answered\":true,\"since_s\":90000,"      \
	"\"asked_s\":null,\"queries\":0,\"trapped\":0,\"askers\":[]},"                                           \
	"{\"lan\":\"ixp\",\"ip\":\"198.18.0.200\",\"state\":\"pending\",\"answered\":false,\"pending\":3,"           \
	"\"since_s\":2,\"asked_s\":1,\"queries\":50,\"trapped\":0,\"askers\":[{\"port\":\"swp2\"}]},"                \
	"{\"lan\":\"ixp\",\"ip\":\"198.18.0.9\",\"state\":\"sponged\",\"answered\":true,\"since_s\":60,"             \
	"\"asked_s\":2,\"queries\":90,\"trapped\":7,\"askers\":[{\"port\":\"swp1\"},{\"port\":\"swp2\"}]},"                                                              \
	"{\"lan\":\"ixp\",\"ip\":\"198.18.0.10\",\"state\":\"dead\",\"answered\":true,\"member\":\"AS64510 Ten\",\"askers\":[]}]}"

#define CALLERS                                                                                    \
	"{\"callers\":[{\"lan\":\"ixp\",\"target\":\"198.18.0.9\",\"what\":\"dead\",\"target_member\":"             \
	"\"AS64509 Nine\",\"port\":\"swp1\",\"mac\":\"02:00:5e:00:00:01\",\"member\":\"AS64501 Member\","        \
	"\"arp\":90,\"ns\":0,\"bgp\":12,\"data\":3,\"first_s\":600,\"last_s\":2},"                                   \
	"{\"lan\":\"ixp\",\"target\":null,\"what\":\"beyond\",\"target_member\":null,\"port\":\"swp2\","            \
	"\"mac\":\"02:00:5e:00:00:02\",\"member\":null,\"arp\":0,\"ns\":0,\"bgp\":0,\"data\":9,\"first_s\":9,"       \
	"\"last_s\":1}]}"

#define STATIONS                                                                                   \
	"{\"stations\":[{\"address\":\"10.99.0.10\",\"port\":11019,\"name\":\"\",\"policy\":\"both\","      \
	"\"state\":\"waiting\",\"since_s\":3,\"queued_octets\":0,\"messages\":7,\"losses\":2,\"overflows\":1," \
	"\"last_error\":\"does not read: the queue is full\"},"                                    \
	"{\"address\":\"10.99.0.9\",\"port\":11019,\"name\":\"mon\",\"policy\":\"pre\",\"state\":\"up\","    \
	"\"since_s\":90000,\"queued_octets\":0,\"messages\":41230,\"losses\":0,\"overflows\":0,"        \
	"\"last_error\":\"\"}]}"

#define LANS                                                                                       \
	"{\"lans\":[{\"name\":\"ixp\",\"vni\":100,\"vtep\":\"10.99.0.1\",\"counts\":{\"macs_local\":1,"  \
	"\"macs_remote\":1,\"macs_held\":0,\"bindings_local\":1,\"bindings_remote\":1,\"vteps\":1,\"moves\":4,\"duplicates\":2," \
	"\"refused_full\":1,\"not_imported\":2,\"alarms\":0},"                                     \
	"\"macs\":[{\"mac\":\"02:00:5e:00:00:02\",\"local\":false,\"vtep\":\"10.99.0.2\",\"seq\":3,\"sticky\":true," \
	"\"stale\":true},{\"mac\":\"02:00:5e:00:00:01\",\"local\":true,\"vtep\":null,\"seq\":0}],"  \
	"\"bindings\":[{\"mac\":\"02:00:5e:00:00:02\",\"ip\":\"198.18.0.10\",\"local\":false,"      \
	"\"vtep\":\"10.99.0.2\",\"router\":true,\"immutable\":true},"                              \
	"{\"mac\":\"02:00:5e:00:00:01\",\"ip\":\"198.18.0.9\",\"local\":true,\"vtep\":null}],"      \
	"\"flood\":[\"10.99.0.2\"]}]}"

#define BINDINGS                                                                                   \
	"{\"bindings\":[{\"lan\":\"ixp\",\"ip\":\"198.18.0.10\",\"mac\":\"02:00:5e:00:00:02\"," \
	"\"where\":\"10.99.0.2\",\"source\":\"evpn\",\"state\":\"active\",\"flags\":[\"router\"],\"age_s\":4},"        \
	"{\"lan\":\"ixp\",\"ip\":\"198.18.0.2\",\"mac\":\"02:00:5e:00:00:01\",\"where\":\"port\","       \
	"\"port\":\"swp1\",\"source\":\"static\",\"state\":\"silent\",\"flags\":[\"immutable\"]," \
	"\"announced\":true,\"age_s\":null}]}"

#define AGENT_MACS                                                                                 \
	"{\"macs\":[{\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:02\",\"where\":\"10.99.0.2\","       \
	"\"source\":\"evpn\",\"state\":\"active\",\"announced\":false,\"age_s\":4},"                 \
	"{\"lan\":\"ixp\",\"mac\":\"02:00:5e:00:00:01\",\"where\":\"port\",\"port\":\"swp1\","     \
	"\"source\":\"static\",\"state\":\"down\",\"announced\":true}]}"

#define PORTS                                                                                      \
	"{\"ports\":[{\"name\":\"vx100\",\"lan\":\"ixp\",\"kind\":\"fabric\",\"state\":\"down\",\"member\":null,"  \
	"\"macs\":[],\"attached\":false,\"plane\":\"bpf\"},{\"name\":\"swp1\",\"lan\":\"ixp\",\"kind\":\"member\",\"state\":\"up\","   \
	"\"member\":\"AS64500 Example\",\"attached\":true,\"macs\":[\"02:00:5e:00:00:01\",\"02:00:5e:00:00:03\"],"   \
	"\"plane\":\"bpf\",\"flags\":[\"closed\"],\"quarantine\":[\"operator\"],"                               \
	"\"rules\":{\"stp\":\"alarm\",\"dhcp\":\"count\"}}]}"

#define LEDGER                                                                                     \
	"{\"ports\":[{\"name\":\"swp1\",\"kind\":\"member\",\"in\":{\"arp-request\":{\"answered\":[100,6000],"   \
	"\"sponged\":[1,60],\"unknown-target\":[50,3000],\"policed-in\":[3,180],\"flooded\":[2,120]},"  \
	"\"ipv4\":{\"forwarded\":[1000,64000],\"local\":[1,60]},\"new-class\":{\"new-outcome\":[5,5]}}," \
	"\"out\":{\"arp-request\":{\"answer\":[101,4242],\"probe\":[2,84]},\"ipv4\":{\"delivered\":[900,60000]}," \
	"\"mdns\":{\"unauthorised\":[4,400],\"delivered\":[0,0]}}},"                               \
	"{\"name\":\"swp2\",\"kind\":\"member\",\"in\":{},\"out\":{\"mdns\":{\"delivered\":[2,300]}}}],"  \
	"\"balance\":%s}"

#define ROUTES                                                                                     \
	"{\"routes\":[{\"type\":3,\"text\":\"10.99.0.2:2 [3]:[0]:[32]:[10.99.0.2]\",\"ip\":\"10.99.0.2\","  \
	"\"next_hop\":\"10.99.0.2\",\"from\":\"local\",\"best\":false,\"stale\":true,\"since_s\":2,\"communities\":\"ET:8\"}," \
	"{\"type\":2,\"rd\":\"10.99.0.2:2\",\"mac\":\"02:00:5e:00:00:01\",\"ip\":\"198.18.0.1\","    \
	"\"next_hop\":\"10.99.0.2\",\"from\":\"10.99.0.2\",\"best\":true,\"stale\":false,\"since_s\":1,"  \
	"\"communities\":\"ET:8 MM:1\"}],\"matched\":9,\"truncated\":true}"

#define REFUSED                                                                                    \
	"{\"routes\":[{\"type\":3,\"text\":\"10.99.0.2:2 [3]:[0]:[32]:[10.99.0.2]\",\"ip\":\"10.99.0.2\"," \
	"\"next_hop\":\"10.99.0.2\",\"from\":\"10.99.0.2\",\"best\":false,\"stale\":false,\"since_s\":2,"   \
	"\"communities\":\"ET:8\",\"refused\":\"mac-multicast\",\"path_id\":7}],\"matched\":1,\"truncated\":false}"

#define FLAGGED                                                                                    \
	"{\"routes\":[{\"type\":2,\"text\":\"10.99.0.2:2 [2] 02:00:5e:00:00:01\"," \
	"\"next_hop\":\"10.99.0.2\",\"from\":\"10.99.0.2\",\"best\":true,\"stale\":false,\"since_s\":2,"   \
	"\"communities\":\"ET:8\",\"flagged\":\"unregistered-mac\"}],\"matched\":1,\"truncated\":false}"

static const struct {
	const char *noun, *answer;
	struct show_options o;
	const char *text;
} rows[] = {
	{"neighbors", NEIGHBORS, {0},
		"NEIGHBOR    NAME          AS  STATE           SINCE  ROUTES IN  REFUSED   OUT  QUEUED  FLAPS  LAST ERROR\n"
		"10.99.0.2   -     4200000000  Established     1d01h        812       12  1200       5      0  -\n"
		"10.99.0.10  pe10       65000  Idle         00:00:03          0        0     0       0      3  hold timer\n"},
	{"neighbors", NEIGHBORS, {.neighbor = "10.99.0.10"},
		"address         10.99.0.10\nname            pe10\nstate           Idle\nremote as       65000\n"
		"since           00:00:03\nroutes in       0\nroutes refused  0\nroutes out      0\nqueued octets   0\n"
		"flaps           3\nlast error      hold timer\n"},
	{"neighbors", NEIGHBORS, {.neighbor = "10.99.0.1"}, "no such neighbor\n"},
	{"neighbors", "{\"neighbors\":[]}", {0}, "no neighbors\n"},
	{"neighbors", "{}", {0}, "no neighbors\n"},
	{"neighbors", "{\"neighbors\":[1,null,{\"address\":[]}]}", {.colour = false},
		"NEIGHBOR  NAME  AS  STATE  SINCE  ROUTES IN  REFUSED  OUT  QUEUED  FLAPS  LAST ERROR\n"
		"-         -      -  -          -          -        -    -       -      -  -\n"
		"-         -      -  -          -          -        -    -       -      -  -\n"
		"-         -      -  -          -          -        -    -       -      -  -\n"},
	{"routes", ROUTES, {0},
		"    ROUTE                                         NEXT HOP   FROM          SINCE  COMMUNITIES\n"
		"*   10.99.0.2:2 [2] 02:00:5e:00:00:01 198.18.0.1  10.99.0.2  10.99.0.2  00:00:01  ET:8 MM:1\n"
		" S  10.99.0.2:2 [3]:[0]:[32]:[10.99.0.2]          10.99.0.2  local      00:00:02  ET:8\n"
		"2 of 9; narrow it with --lan, --mac, --ip or --type\n"},
	{"routes", "{\"routes\":[]}", {.type = 2}, "no routes\n"},
	{"routes", "{\"routes\":[]}", {.rejected = true}, "no routes were refused\n"},
	{"routes", REFUSED, {0},
		"   ROUTE                                      NEXT HOP   FROM          SINCE  COMMUNITIES\n"
		"R  10.99.0.2:2 [3]:[0]:[32]:[10.99.0.2] id 7  10.99.0.2  10.99.0.2  00:00:02  ET:8\n"},
	{"routes", REFUSED, {.rejected = true},
		"REFUSED        ROUTE                                      NEXT HOP   FROM          SINCE  COMMUNITIES\n"
		"mac-multicast  10.99.0.2:2 [3]:[0]:[32]:[10.99.0.2] id 7  10.99.0.2  10.99.0.2  00:00:02  ET:8\n"},
	{"routes", FLAGGED, {0},
		"    ROUTE                              NEXT HOP   FROM          SINCE  COMMUNITIES\n"
		"*F  10.99.0.2:2 [2] 02:00:5e:00:00:01  10.99.0.2  10.99.0.2  00:00:02  ET:8\n"},
	{"routes", FLAGGED, {.flagged = true},
		"FLAGGED           ROUTE                              NEXT HOP   FROM          SINCE  COMMUNITIES\n"
		"unregistered-mac  10.99.0.2:2 [2] 02:00:5e:00:00:01  10.99.0.2  10.99.0.2  00:00:02  ET:8\n"},
	{"routes", "{\"routes\":[]}", {.flagged = true}, "no routes are flagged\n"},
	{"alarms", ALARMS, {0},
		"TIME                  COUNT  LAN  PORT  MAC                ADDRESS     PE         RULE       WHAT\n"
		"2026-01-02T00:00:00Z      3  ixp  swp1  02:00:5e:00:00:03  -           -          discovery  no LLDP: lldp (let go)\n"
		"2026-01-02T00:00:00Z      7  ixp  -     02:00:5e:00:00:01  -           10.99.0.2  -          it moves\n"
		"2026-01-01T00:00:00Z      1  ixp  -     02:00:5e:00:00:02  198.18.0.1  -          -          two MACs\n"},
	{"alarms", ALARMS, {.ip = "198.18.0.1"},
		"TIME                  COUNT  LAN  PORT  MAC                ADDRESS     PE  RULE  WHAT\n"
		"2026-01-01T00:00:00Z      1  ixp  -     02:00:5e:00:00:02  198.18.0.1  -   -     two MACs\n"},
	{"alarms", "{\"alarms\":[]}", {0}, "no alarms\n"},
	{"lan", LANS, {0},
		"LAN  VNI  VTEP       MACS HERE  REMOTE  HELD  BINDINGS HERE  REMOTE  VTEPS  MOVES  DUPLICATES  REFUSED  ALARMS\n"
		"ixp  100  10.99.0.1          1       1     0              1       1      1      4           2        3       0\n"},
	{"lan", LANS, {.lan = "ixp"},
		"LAN  VNI  VTEP       MACS HERE  REMOTE  HELD  BINDINGS HERE  REMOTE  VTEPS  MOVES  DUPLICATES  REFUSED  ALARMS\n"
		"ixp  100  10.99.0.1          1       1     0              1       1      1      4           2        3       0\n"
		"\nMAC                WHERE      SEQ  FLAGS\n"
		"02:00:5e:00:00:01  here         0  -\n"
		"02:00:5e:00:00:02  10.99.0.2    3  sticky stale\n"
		"\nADDRESS      MAC                WHERE      FLAGS\n"
		"198.18.0.9   02:00:5e:00:00:01  here       -\n"
		"198.18.0.10  02:00:5e:00:00:02  10.99.0.2  router immutable\n"
		"\nFLOODED TO\n10.99.0.2\n"},
	{"lan", LANS, {.ip = "198.18.0.9"},
		"LAN  VNI  VTEP       MACS HERE  REMOTE  HELD  BINDINGS HERE  REMOTE  VTEPS  MOVES  DUPLICATES  REFUSED  ALARMS\n"
		"ixp  100  10.99.0.1          1       1     0              1       1      1      4           2        3       0\n"
		"\nADDRESS     MAC                WHERE  FLAGS\n"
		"198.18.0.9  02:00:5e:00:00:01  here   -\n"},
	{"lan", LANS, {.lan = "other"}, "no such LAN\n"},
	{"bmp", STATIONS, {0},
		"STATION      PORT  NAME  POLICY  STATE       SINCE  QUEUED  MESSAGES  LOST  OVERFLOWS  LAST ERROR\n"
		"10.99.0.9   11019  mon   pre     up          1d01h       0     41230     0          0  -\n"
		"10.99.0.10  11019  -     both    waiting  00:00:03       0         7     2          1  does not read: the queue is full\n"},
	{"bmp", "{\"stations\":[]}", {0}, "no monitoring stations\n"},
	{"bindings", BINDINGS, {0},
		"LAN  ADDRESS      MAC                WHERE      SOURCE  STATE   FLAGS                     AGE\n"
		"ixp  198.18.0.2   02:00:5e:00:00:01  swp1       static  silent  announced immutable         -\n"
		"ixp  198.18.0.10  02:00:5e:00:00:02  10.99.0.2  evpn    active  router               00:00:04\n"},
	{"bindings", BINDINGS, {.port = "swp1"},
		"LAN  ADDRESS     MAC                WHERE  SOURCE  STATE   FLAGS                AGE\n"
		"ixp  198.18.0.2  02:00:5e:00:00:01  swp1   static  silent  announced immutable    -\n"},
	{"macs", AGENT_MACS, {0},
		"LAN  MAC                WHERE      SOURCE  STATE   FLAGS           AGE\n"
		"ixp  02:00:5e:00:00:01  swp1       static  down    announced         -\n"
		"ixp  02:00:5e:00:00:02  10.99.0.2  evpn    active  -          00:00:04\n"},
	{"bindings", BINDINGS, {.mac = "02:00:5e:00:00:02", .lan = "ixp"},
		"LAN  ADDRESS      MAC                WHERE      SOURCE  STATE   FLAGS        AGE\n"
		"ixp  198.18.0.10  02:00:5e:00:00:02  10.99.0.2  evpn    active  router  00:00:04\n"},
	{"bindings", BINDINGS, {.lan = "other"}, "no bindings\n"},
	{"ports", PORTS, {0},
		"PORT   LAN  KIND    STATE     MEMBER           MACS                                 PLANE  FLAGS   QUARANTINE  RULES\n"
		"swp1   ixp  member  up        AS64500 Example  02:00:5e:00:00:01 02:00:5e:00:00:03  bpf    closed  operator    stp alarm, dhcp count\n"
		"vx100  ixp  fabric  detached  -                -                                    bpf    -       -           -\n"},
	{"ports", PORTS, {.port = "swp9"}, "no ports\n"},
	{"ledger", "[{\"lan\":\"ixp\",\"balanced\":true,\"faults\":[]}]", {0},
		"PORT  KIND    RECEIVED  ANSWERED  DROPPED  POLICED  FORWARDED  FLOODED  DRY RUN  DELIVERED  ANSWERS  "
		"PROBES  REFUSED  BUM\n"
		"swp1  member      1162       101       55        3       1001        2        0        900      101  "
		"     2        4    0\n"
		"swp2  member         0         0        0        0          0        0        0          2        0  "
		"     0        0    2\n"
		"\nLAN ixp: the books balance\n"},
	{"ledger", "[{\"lan\":\"ixp\",\"balanced\":false,\"faults\":[{\"port\":\"swp2\",\"class\":null,"
		"\"fault\":\"answers that did not leave\",\"left\":2,\"right\":3}]}]", {.port = "swp2"},
		"PORT  DIRECTION  CLASS  OUTCOME    FRAMES  OCTETS\n"
		"swp2  out        mdns   delivered       2     300\n"
		"\nLAN ixp: the books do not balance\n"
		"FAULT                       PORT  CLASS  LEFT  RIGHT\n"
		"answers that did not leave  swp2  -         2      3\n"},
	{"ledger", "[]", {.cls = "arp-request"},
		"PORT  DIRECTION  CLASS        OUTCOME         FRAMES  OCTETS\n"
		"swp1  in         arp-request  answered           100    6000\n"
		"swp1  in         arp-request  sponged              1      60\n"
		"swp1  in         arp-request  unknown-target      50    3000\n"
		"swp1  in         arp-request  policed-in           3     180\n"
		"swp1  in         arp-request  flooded              2     120\n"
		"swp1  out        arp-request  answer             101    4242\n"
		"swp1  out        arp-request  probe                2      84\n"},
	{"sponge", SPONGE, {0},
		"ixp: 02:71:75:00:00:64, listening for 12 s more; 1 sponged, 1 static, 1 pending; 3 of 200 questions were no proof\n"
		"LAN  ADDRESS          STATE           FOR     ASKED  TIMES  TRAPPED  ASKERS\n"
		"ixp  198.18.0.9       sponged    00:01:00  00:00:02     90        7  swp1 and 1 more\n"
		"ixp  198.18.0.10      dead              -         -      -        -  AS64510 Ten\n"
		"ixp  198.18.0.200     pending 3  00:00:02  00:00:01     50        0  swp2\n"
		"ixp  2001:db8:100::9  static        1d01h         -      0        0  -\n"},
	{"sponge", "{\"sponge\":[],\"lans\":[]}", {0}, "nothing is sponged\n"},
	{"callers", CALLERS, {0},
		"LAN  TARGET          IS                    CALLER          PORT  MAC                ARP  NS  BGP  DATA     SINCE      LAST\n"
		"ixp  beyond the LAN  by way of the sponge  -               swp2  02:00:5e:00:00:02    0   0    0     9  00:00:09  00:00:01\n"
		"ixp  198.18.0.9      dead: AS64509 Nine    AS64501 Member  swp1  02:00:5e:00:00:01   90   0   12     3  00:10:00  00:00:02\n"},
	{"callers", CALLERS, {.ip = "198.18.0.10"}, "nobody calls in vain\n"},
	{"status", "{\"programs\":[{\"program\":\"quelld\",\"uptime_s\":61,\"feed\":{\"state\":\"live\"}},"
		"{\"program\":\"x\",\"lans\":[{\"name\":\"ixp\",\"vni\":100,\"flood\":[\"10.99.0.2\"]}]}]}",
		{0}, "program  quelld\nuptime   00:01:01\nfeed\n  state  live\n"
		"\nprogram    x\nlans\n  ixp\n    name   ixp\n    vni    100\n    flood  10.99.0.2\n"},
};

START_TEST(renders)
{
	char ledger[2048];
	const char *answer = rows[_i].answer;

	if (strcmp(rows[_i].noun, "ledger") == 0) {
		snprintf(ledger, sizeof(ledger), LEDGER, answer);
		answer = ledger;
	}
	char *text = rendered(rows[_i].noun, answer, &rows[_i].o);
	ck_assert_str_eq(text, rows[_i].text);
	free(text);
}
END_TEST

/* Whatever a daemon of another version says, nothing is read that is not there. */
START_TEST(survives_any_answer)
{
	static const char *const nouns[] = {
		"status", "neighbors", "routes", "lan", "bmp", "bindings", "macs", "ports", "ledger", "sponge",
		"callers"};
	static const char *const lists[] = {"programs", "neighbors", "routes", "lans", "bindings", "macs", "ports",
		"sponge", "callers"};
	static const char *const oddities[] = {"null", "true", "1", "\"x\"", "[]", "{}", "[null]", "[1]", "[[]]", "[{}]",
		"[{\"name\":{},\"in\":[],\"out\":{\"ipv4\":1},\"balance\":[{}]}]",
		"[{\"name\":1,\"in\":{\"ipv4\":[1]},\"out\":{\"ipv4\":{\"delivered\":\"x\"}},\"balance\":{\"a\":1}}]",
		"[{\"macs\":[1,{}],\"bindings\":{},\"flood\":[null],\"counts\":[]}]",
		"[{\"macs\":\"\",\"flags\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{}}}}}},\"since_s\":\"x\"}]"};
	const struct show_options options[] = {{0}, {.lan = "x", .colour = true}, {.mac = "x", .port = "x"},
		{.ip = "x", .cls = "ipv4"}, {.neighbor = "x", .type = 2}};
	char answer[512];

	for (size_t n = 0; n < sizeof(nouns) / sizeof(nouns[0]); n++)
		for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
			for (size_t i = 0; i < sizeof(oddities) / sizeof(oddities[0]); i++)
				for (size_t o = 0; o < sizeof(options) / sizeof(options[0]); o++) {
					snprintf(answer, sizeof(answer), "{\"%s\":%s,\"balance\":%s}", lists[l],
						oddities[i], oddities[i]);
					free(rendered(nouns[n], answer, &options[o]));
				}
}
END_TEST

START_TEST(options_fit)
{
	struct show_options o = {0};
	char buf[64];

	ck_assert(show_knows("routes") && !show_knows("route") && !show_knows(""));
	ck_assert(show_take_word("routes", "0200.5E00.0001", &o, buf));
	ck_assert_str_eq(o.mac, "02:00:5e:00:00:01");
	ck_assert(!show_misfit("routes", &o));
	ck_assert_str_eq(show_misfit("ports", &o), "--mac");
	o = (struct show_options){.rejected = true};
	ck_assert(!show_misfit("routes", &o));
	ck_assert_str_eq(show_misfit("lan", &o), "--rejected");
	o = (struct show_options){0};
	ck_assert(show_take_word("bindings", "2001:DB8::0001", &o, buf));
	ck_assert_str_eq(o.ip, "2001:db8::1");
	ck_assert(!show_take_word("neighbors", "pe1", &o, buf));
	ck_assert(!show_take_word("status", "x", &o, buf));
	o = (struct show_options){.type = 2};
	ck_assert_str_eq(show_misfit("lan", &o), "--type");
	ck_assert(!show_misfit("routes", &o));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli/show");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_loop_test(tc, renders, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, survives_any_answer);
	tcase_add_test(tc, options_fit);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
