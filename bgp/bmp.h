/* The BGP Monitoring Protocol (RFC 7854): what the neighbours tell us, told on to monitoring stations. No I/O and no
 * clock: the daemon opens the connections, takes the octets and gives the time; see daemon/bmp_client.c.
 *
 * A station that connects is told who is up (Peer Up), then all there is of each (the dump), then goes on with what
 * comes; from the first moment on everything new goes into the same queue behind what it was told before. A station
 * that does not read loses its connection when its queue is full, and is called again later.
 *
 * The Adj-RIB-In is that of bgp/rib.h, so pre-policy has the routes that the import policy refuses, but not those that
 * the engine does not keep (loops). Our own routes, Loc-RIB (RFC 9069) and route mirroring are not sent.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"

struct bmp;
struct bmp_station;
struct speaker;

/* A set. */
enum bmp_views { BMP_PRE = 1, BMP_POST = 2 };

struct bmp_station_config {
	char name[64];		/* for people; may be empty */
	struct ip address;
	uint16_t port;
	unsigned views;		/* of the Adj-RIB-In: before the import policy, after it, or both */
	uint32_t stats_sec;	/* between Stats Reports; 0: none */
	uint32_t retry_sec;	/* the first wait; it doubles up to BMP_RETRY_MAX_SEC */
	size_t queue_octets;	/* more unsent closes the connection */
};

#define BMP_RETRY_SEC 30 /* RFC 7854 section 3.2 */
#define BMP_RETRY_MAX_SEC 720
#define BMP_QUEUE_OCTETS (64u << 20)

/* Aborts when out of memory: it is made at start-up. The speaker must outlive it. The texts are sysDescr and sysName of
 * MIB-II. */
struct bmp *bmp_new(struct speaker *s, const char *sys_descr, const char *sys_name);
void bmp_free(struct bmp *b);

/* Aborts when out of memory. It wants to be connected at once. */
struct bmp_station *bmp_add(struct bmp *b, const struct bmp_station_config *c, uint64_t now_ms);
/* The connection, if there was one, is closed by the caller. */
void bmp_remove(struct bmp_station *st);
/* NULL gives the first. */
struct bmp_station *bmp_next(const struct bmp *b, const struct bmp_station *after);
const struct bmp_station_config *bmp_config(const struct bmp_station *st);

enum bmp_want {
	BMP_REST,
	BMP_CONNECT, /* open TCP; then bmp_connecting(), and bmp_connected() or bmp_lost() */
	BMP_SEND,    /* bmp_tx() has octets */
	BMP_CLOSE,   /* close the connection, and bmp_lost() */
};
enum bmp_want bmp_wants(const struct bmp_station *st, uint64_t now_ms);
void bmp_connecting(struct bmp_station *st);
void bmp_connected(struct bmp_station *st, uint64_t now_ms);
/* The connection is gone, or could not be made. `why` NULL: as bmp_wants() asked. */
void bmp_lost(struct bmp_station *st, const char *why, uint64_t now_ms);
/* A last message that says that we close (section 4.5); then bmp_wants() asks for it. */
void bmp_terminate(struct bmp_station *st);
/* Octets to be sent, contiguous; 0: none. They stay valid until bmp_sent() or the next call of bmp_run(). */
size_t bmp_tx(const struct bmp_station *st, const uint8_t **ret);
void bmp_sent(struct bmp_station *st, size_t len);

/* At the end of each turn: what piled up goes into the queues, dumps go on by a slice. `wall_us`: since 1970. */
void bmp_run(struct bmp *b, uint64_t now_ms, uint64_t wall_us);
uint64_t bmp_deadline(const struct bmp *b);

struct bmp_view {
	const struct bmp_station_config *config;
	const char *state; /* "waiting", "connecting", "dump", "up", "closing" */
	uint64_t since_ms;
	uint64_t retry_ms; /* when it is called again; 0: it is not waited for */
	size_t queued_octets;
	uint64_t messages, octets_out;
	uint64_t connects, losses, overflows;
	char last_error[128];
};
void bmp_view(const struct bmp_station *st, struct bmp_view *ret);
