/* A thread that sends. Of what quelld does with a million routes and ten clients a third is the kernel's work of taking
 * in octets; it is done here, while the loop's thread reads on and decides.
 *
 * It is given pieces of octets and descriptors, and knows nothing else: no speaker, no connection, no memory that is not
 * lent to it with a job. Whoever gives a job keeps its octets, and does not touch it until it is back: by done(), in the
 * loop's thread, or by sender_recall(). So nothing of the engine is shared, and nothing there is locked.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bsd/sys/queue.h>

struct loop;
struct sender;

/* Below, waking the thread costs more than it saves, and octets that are few should not wait. */
#define SENDER_LEAST (16 * 1024)
/* When as many wait, who has more sends himself: so both have their share of the work. */
#define SENDER_WAITING 16

enum send_state { SEND_HERE, SEND_QUEUED, SEND_NOW, SEND_DONE };

struct send_job {
	TAILQ_ENTRY(send_job) link;
	enum send_state state; /* the sender's, under its lock */
	int fd;
	const uint8_t *p; /* goes on with what is sent */
	size_t len;       /* left: 0 when all is; else the socket was full, or `err` says why */
	int err;          /* 0 or -errno */
};

/* Without its thread it takes no jobs. `done` may give jobs. NULL: out of memory or descriptors. */
struct sender *sender_new(struct loop *l, void (*done)(struct send_job *j));
/* Whoever needs fewer privileges drops them before. 0 or -errno. */
int sender_start(struct sender *s);
/* Waits for the thread's end. No jobs may be away. */
void sender_free(struct sender *s);

/* False: it has enough to do, or no thread. The thread may sleep until sender_wake(). */
bool sender_give(struct sender *s, struct send_job *j);
/* There have been jobs, and there will be none for a while. */
void sender_wake(struct sender *s);
/* Returns when the job is back, sent or not; at once, but for a call of send() that is under way. done() is not called. */
void sender_recall(struct sender *s, struct send_job *j);
/* Sends what goes. */
void send_job_run(struct send_job *j);
