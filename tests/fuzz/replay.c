/* Replays a fuzz target's corpus as a test: every file under tests/fuzz/corpus/WHAT/ (WHAT from our own name,
 * replay_WHAT), or the files and folders named as arguments. An empty corpus is a failure: it would test nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;

	if (!f || fstat(fileno(f), &st) < 0) {
		perror(path);
		exit(1);
	}
	/* Exactly as large as the input, so that a sanitizer sees one octet too many. */
	uint8_t *data = malloc(st.st_size ? (size_t)st.st_size : 1);
	size_t size = data ? fread(data, 1, (size_t)st.st_size, f) : 0;
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static int replay(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int count = 0;

	if (!dir)
		return replay_file(path);
	while ((e = readdir(dir)) != NULL) {
		char sub[4096];
		if (e->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		count += replay_file(sub);
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir"), *what = strstr(argv[0], "replay_");
	char corpus[4096];
	int count = 0;

	for (int i = 1; i < argc; i++)
		count += replay(argv[i]);
	if (argc == 1 && what) {
		snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
			what + strlen("replay_"));
		count = replay(corpus);
	}
	printf("%d inputs replayed\n", count);
	return count > 0 ? 0 : 1;
}
