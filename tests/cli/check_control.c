/* Asking a daemon: a child plays it, says one thing and goes. */
#include "cli/control.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[32];
static struct sockaddr_un un;

static void up(void)
{
	strcpy(dir, "/tmp/quell-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	un = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/quelld.sock", dir);
}

static void down(void)
{
	unlink(un.sun_path);
	rmdir(dir);
}

static int listening(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* Answers one question with `len` octets, in pieces; checks that the question is the one. */
static pid_t play(int fd, const char *answer, size_t len)
{
	pid_t pid = fork();

	if (pid != 0) {
		close(fd);
		return pid;
	}
	int c = accept(fd, NULL, NULL);
	char q[64] = "";
	ssize_t n = recv(c, q, sizeof(q) - 1, 0);
	if (n <= 0 || strcmp(q, "{\"show\":\"neighbors\"}\n") != 0)
		_exit(1);
	for (size_t at = 0, piece = 1; at < len; at += piece, piece *= 2) {
		if (piece > len - at)
			piece = len - at;
		if (send(c, answer + at, piece, MSG_NOSIGNAL) != (ssize_t)piece)
			_exit(2);
	}
	_exit(0);
}

static int ask(const char *where, json_t **ret, char error[CONTROL_ERROR_MAX])
{
	json_t *q = json_pack("{s:s}", "show", "neighbors");
	int r = control_ask(CONTROL_QUELLD, where, q, ret, error);

	json_decref(q);
	return r;
}

static const struct {
	const char *answer;
	int r;
	const char *error;
} rows[] = {
	{"{\"neighbors\":[]}\n", 0, NULL},
	{"{\"neighbors\":[]}\nand more", 0, NULL},
	{"{\"error\":\"no such \\u001b thing\"}\n", -EPROTO, "quelld: no such \\x1b thing"},
	{"{\"error\":7}\n", -EPROTO, "quelld: an error"},
	{"[]\n", -EPROTO, "quelld gave an answer that is no JSON object"},
	{"{\n", -EPROTO, "quelld gave an answer that is no JSON object"},
	{"\n", -EPROTO, "quelld gave an answer that is no JSON object"},
	{"{\"neighbors\"", -ECONNRESET, "quelld gave no answer: Connection reset by peer"},
	{"", -ECONNRESET, "quelld gave no answer: Connection reset by peer"},
};

START_TEST(asks)
{
	char error[CONTROL_ERROR_MAX] = "";
	json_t *answer = NULL;
	pid_t pid = play(listening(), rows[_i].answer, strlen(rows[_i].answer));
	int status;

	ck_assert_int_eq(ask(dir, &answer, error), rows[_i].r);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	if (rows[_i].error)
		ck_assert_str_eq(error, rows[_i].error);
	else
		ck_assert(json_is_array(json_object_get(answer, "neighbors")));
	json_decref(answer);
}
END_TEST

START_TEST(long_answer)
{
	size_t len = 3 << 20;
	char *text = malloc(len), error[CONTROL_ERROR_MAX];
	json_t *answer = NULL;
	int status;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', len);
	memcpy(text, "{\"a\":\"", 6);
	memcpy(text + len - 3, "\"}\n", 3);
	pid_t pid = play(listening(), text, len);
	ck_assert_int_eq(ask(dir, &answer, error), 0);
	ck_assert_uint_eq(json_string_length(json_object_get(answer, "a")), len - 9);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	json_decref(answer);
	free(text);
}
END_TEST

START_TEST(nobody_there)
{
	char error[CONTROL_ERROR_MAX], want[CONTROL_ERROR_MAX], far[200];
	json_t *answer = NULL;

	ck_assert_int_eq(ask(dir, &answer, error), -ENOENT);
	snprintf(want, sizeof(want), "quelld is not running: no %s/quelld.sock", dir);
	ck_assert_str_eq(error, want);
	close(listening()); /* its socket stays, as after a SIGKILL */
	ck_assert_int_eq(ask(dir, &answer, error), -ENOENT);
	snprintf(
		want, sizeof(want), "quelld is not running: nobody listens at %s/quelld.sock", dir);
	ck_assert_str_eq(error, want);
	memset(far, 'x', sizeof(far));
	far[sizeof(far) - 1] = '\0';
	ck_assert_int_eq(ask(far, &answer, error), -ENAMETOOLONG);
	ck_assert_ptr_null(answer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli/control");
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(tc, up, down);
	tcase_add_loop_test(tc, asks, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, long_answer);
	tcase_add_test(tc, nobody_there);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
