#include "daemon/transport_sender.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/loop.h"

TAILQ_HEAD(send_jobs, send_job);

struct sender {
	void (*done)(struct send_job *j);
	struct event *back;
	int wake; /* eventfd: jobs are done */
	bool running;
	pthread_t thread;

	pthread_mutex_t lock; /* of all that follows, and of the jobs' `state` */
	pthread_cond_t work, idle;
	struct send_jobs queued, sent;
	unsigned waiting; /* in `queued` */
	bool up, sleeps, stop;
};

void send_job_run(struct send_job *j)
{
	while (j->len) {
		ssize_t n = send(j->fd, j->p, j->len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			j->err = errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
			return;
		}
		j->p += n;
		j->len -= (size_t)n;
	}
}

/* --- the thread --- */

static void *run(void *arg)
{
	struct sender *s = arg;
	struct send_job *j;

	pthread_mutex_lock(&s->lock);
	s->up = true;
	pthread_cond_signal(&s->idle);
	while (!s->stop) {
		j = TAILQ_FIRST(&s->queued);
		if (!j) {
			s->sleeps = true;
			pthread_cond_wait(&s->work, &s->lock);
			continue;
		}
		TAILQ_REMOVE(&s->queued, j, link);
		s->waiting--;
		j->state = SEND_NOW;
		pthread_mutex_unlock(&s->lock);
		send_job_run(j);
		pthread_mutex_lock(&s->lock);
		j->state = SEND_DONE;
		if (TAILQ_EMPTY(&s->sent))
			eventfd_write(s->wake, 1);
		TAILQ_INSERT_TAIL(&s->sent, j, link);
		pthread_cond_signal(&s->idle);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* --- the loop's thread --- */

static struct send_job *take_done(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	struct send_job *j = TAILQ_FIRST(&s->sent);
	if (j) {
		TAILQ_REMOVE(&s->sent, j, link);
		j->state = SEND_HERE;
	}
	pthread_mutex_unlock(&s->lock);
	return j;
}

/* One by one, since done() may recall another; and so many at once that what done() sends costs the loop no more than a
 * turn's worth. */
static void on_back(evutil_socket_t fd, short what, void *arg)
{
	struct sender *s = arg;
	struct send_job *j;
	eventfd_t count;
	int left = SENDER_WAITING;

	(void)what;
	eventfd_read(fd, &count);
	while (left && (j = take_done(s))) {
		s->done(j);
		left--;
	}
	if (!left)
		eventfd_write(fd, 1);
}

bool sender_give(struct sender *s, struct send_job *j)
{
	if (!s->running)
		return false;
	pthread_mutex_lock(&s->lock);
	bool room = s->waiting < SENDER_WAITING;
	if (room) {
		j->state = SEND_QUEUED;
		j->err = 0;
		TAILQ_INSERT_TAIL(&s->queued, j, link);
		s->waiting++;
	}
	pthread_mutex_unlock(&s->lock);
	return room;
}

/* Once for all that was given in a turn of the loop: to wake somebody costs as much as to send a little. */
void sender_wake(struct sender *s)
{
	if (!s->running)
		return;
	pthread_mutex_lock(&s->lock);
	bool wake = s->sleeps && s->waiting;
	if (wake)
		s->sleeps = false;
	pthread_mutex_unlock(&s->lock);
	if (wake)
		pthread_cond_signal(&s->work);
}

/* Under the lock. */
static bool take_back(struct sender *s, struct send_job *j)
{
	if (j->state == SEND_NOW)
		return false;
	if (j->state == SEND_QUEUED) {
		TAILQ_REMOVE(&s->queued, j, link);
		s->waiting--;
	} else if (j->state == SEND_DONE) {
		TAILQ_REMOVE(&s->sent, j, link);
	}
	j->state = SEND_HERE;
	return true;
}

void sender_recall(struct sender *s, struct send_job *j)
{
	pthread_mutex_lock(&s->lock);
	while (!take_back(s, j))
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

struct sender *sender_new(struct loop *l, void (*done)(struct send_job *j))
{
	struct sender *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->done = done;
	s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	s->back = event_new(loop_base(l), s->wake, EV_READ | EV_PERSIST, on_back, s);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_cond_init(&s->idle, NULL);
	TAILQ_INIT(&s->queued);
	TAILQ_INIT(&s->sent);
	if (s->wake < 0 || !s->back) {
		sender_free(s);
		return NULL;
	}
	event_add(s->back, NULL);
	return s;
}

/* Signals are the loop's. Returns when the thread is up and needs no system calls any more but those of its work. */
int sender_start(struct sender *s)
{
	sigset_t all, was;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	int err = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	s->running = err == 0;
	pthread_mutex_lock(&s->lock);
	while (s->running && !s->up)
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return -err;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	if (s->running) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->work);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	if (s->back)
		event_free(s->back);
	if (s->wake >= 0)
		close(s->wake);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->idle);
	free(s);
}
