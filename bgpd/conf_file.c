/*
 * conf_file.c -- the reader on the file system: nothing outside of the
 * configuration directory, nothing but regular files, nothing huge.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgpd/conf_tree.h"
#include "lib/mem.h"
#include "policy/pfxfile.h"

/*
 * By name, and with ".." nowhere.  A symbolic link that leads out is for the
 * sandbox to stop; who may write this directory may write the configuration.
 */
static bool
inside(const struct conf_reader *r, const char *path)
{
	size_t n, len = strlen(path);

	if (r->dir == NULL)
		return true;
	n = strlen(r->dir);
	while (n > 1 && r->dir[n - 1] == '/')
		n--;
	/* "ana-bgpd -f x.conf": a name without a folder is in ".". */
	if (strcmp(r->dir, ".") == 0 && strncmp(path, "./", 2) != 0) {
		if (path[0] == '/' || strncmp(path, "../", 3) == 0)
			return false;
		n = 0;
	} else if (strncmp(path, r->dir, n) != 0 ||
	    (path[n] != '/' && !(n == 1 && r->dir[0] == '/')))
		return false;
	return strstr(path + n, "/../") == NULL &&
	    (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static int
read_all(int fd, char *data, size_t len, size_t *got)
{
	ssize_t n;

	for (*got = 0; *got < len; *got += (size_t)n) {
		n = read(fd, data + *got, len - *got);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return -errno;
		else if (n == 0)
			break;
	}
	return 0;
}

int
conf_file_fd(int fd, struct conf_file *out)
{
	struct stat st;
	int err;

	*out = (struct conf_file){ 0 };
	if (fstat(fd, &st) != 0)
		return -errno;
	err = S_ISDIR(st.st_mode)      ? -EISDIR
	    : !S_ISREG(st.st_mode)     ? -EINVAL
	    : st.st_size > PFXFILE_MAX ? -EFBIG
				       : 0;
	if (err != 0)
		return err;
	if (lseek(fd, 0, SEEK_SET) == -1)
		return -errno;
	*out = (struct conf_file){ .uid = st.st_uid,
		.gid = st.st_gid,
		.mode = st.st_mode & 07777,
		.mtime = st.st_mtime };
	out->data = mem_alloc((size_t)st.st_size + 1);
	err = read_all(fd, out->data, (size_t)st.st_size, &out->len);
	if (err != 0) {
		free(out->data);
		out->data = NULL;
	}
	return err;
}

static int
file_read(void *arg, const char *path, struct conf_file *out)
{
	int fd, err;

	/* Not to wait for the writer of a pipe. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	err = conf_file_fd(fd, out);
	close(fd);
	return err;
}

static int
overlay_read(void *arg, const char *path, struct conf_file *out)
{
	const struct conf_overlay *o = arg;

	if (strcmp(path, o->path) != 0)
		return o->base->read(o->base->arg, path, out);
	*out = *o->file;
	out->data = mem_alloc(o->file->len + 1);
	memcpy(out->data, o->file->data, o->file->len);
	return 0;
}

static int
overlay_glob(void *arg, const char *pattern, char ***paths, size_t *n)
{
	const struct conf_overlay *o = arg;

	return o->base->glob(o->base->arg, pattern, paths, n);
}

void
conf_reader_overlay(struct conf_reader *r, const struct conf_overlay *o)
{
	*r = *o->base;
	r->read = overlay_read;
	r->glob = overlay_glob;
	r->arg = (void *)(uintptr_t)o;
}

static int
file_glob(void *arg, const char *pattern, char ***paths, size_t *n)
{
	glob_t g;
	int err;
	size_t i;

	*paths = NULL;
	*n = 0;
	err = glob(pattern, 0, NULL, &g);
	if (err == GLOB_NOMATCH)
		return 0;
	if (err != 0)
		return err == GLOB_NOSPACE ? -ENOMEM : -EIO;
	*paths = mem_alloc(g.gl_pathc * sizeof(**paths));
	for (i = 0; i < g.gl_pathc; i++)
		(*paths)[i] = mem_strdup(g.gl_pathv[i]);
	*n = g.gl_pathc;
	globfree(&g);
	return 0;
}

void
conf_reader_files(struct conf_reader *r)
{
	r->read = file_read;
	r->glob = file_glob;
	r->arg = NULL;
}

int
conf_file_read(
    const struct conf_reader *r, const char *path, struct conf_file *out)
{
	return inside(r, path) ? r->read(r->arg, path, out) : -EXDEV;
}

int
conf_file_glob(
    const struct conf_reader *r, const char *pattern, char ***paths, size_t *n)
{
	*paths = NULL;
	*n = 0;
	return inside(r, pattern) ? r->glob(r->arg, pattern, paths, n) : -EXDEV;
}
