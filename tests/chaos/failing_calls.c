/* Preloaded into every process of a queue: makes the n-th call of one kind fail, once, in one kind of process.

   FAIL_PROGRAM  words that the process's command line holds
   FAIL_BELOW    only calls that concern paths below this directory count
   FAIL_CALL     open, write, sync, rename or mkdir
   FAIL_NUMBER   which of them fails, counted from 1 in each process
   FAIL_ERRNO    how
   FAIL_LOG      gets a line for each call that counts (without FAIL_NUMBER), or for the one that failed: what failed
                 once does not fail again while this file is there */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int chosen, wanted, error, counted;
static const char *below, *kind, *log_path;

static int real_open(const char *path, int flags, mode_t mode)
{
    static int (*call)(int, const char *, int, ...);
    if (!call)
        call = dlsym(RTLD_NEXT, "openat");
    return call(AT_FDCWD, path, flags, mode);
}

static ssize_t real_write(int fd, const void *data, size_t size)
{
    static ssize_t (*call)(int, const void *, size_t);
    if (!call)
        call = dlsym(RTLD_NEXT, "write");
    return call(fd, data, size);
}

__attribute__((constructor)) static void begin(void)
{
    char line[65536];
    const char *program = getenv("FAIL_PROGRAM");
    int fd = real_open("/proc/self/cmdline", O_RDONLY, 0);
    ssize_t length = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
    close(fd);
    if (!program || length <= 0)
        return;
    for (ssize_t i = 0; i < length; i++)
        if (!line[i])
            line[i] = ' ';
    line[length] = 0;
    below = getenv("FAIL_BELOW");
    kind = getenv("FAIL_CALL");
    log_path = getenv("FAIL_LOG");
    wanted = atoi(getenv("FAIL_NUMBER"));
    error = atoi(getenv("FAIL_ERRNO"));
    chosen = strstr(line, program) != NULL;
}

static int fails(const char *call, const char *path)
{
    char line[8192];
    if (!chosen || strncmp(path, below, strlen(below)) || (wanted && strcmp(call, kind)))
        return 0;
    if (wanted && __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST) != wanted)
        return 0;
    int fd = real_open(log_path, O_WRONLY | O_CREAT | O_APPEND | (wanted ? O_EXCL : 0), 0644);
    if (fd < 0)
        return 0;
    int length = snprintf(line, sizeof line, "%d %s %s\n", getpid(), call, path);
    real_write(fd, line, length);
    close(fd);
    if (wanted)
        errno = error;
    return wanted != 0;
}

static int fails_on(const char *call, int fd)
{
    char name[64], path[4096];
    if (!chosen)
        return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return fails(call, path);
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
        return fails("open", path) ? -1 : real_open(path, flags, mode);                                                \
    }
OPEN(open)
OPEN(open64)

#define ONE(type, name, parameters, arguments, question)                                                         \
    type name parameters                                                                                               \
    {                                                                                                                  \
        static type(*call) parameters;                                                                                 \
        if (!call)                                                                                                     \
            call = dlsym(RTLD_NEXT, #name);                                                                            \
        return question ? -1 : call arguments;                                                                         \
    }
ONE(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), fails_on("write", fd))
ONE(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at),
    fails_on("write", fd))
ONE(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at),
    fails_on("write", fd))
ONE(int, fsync, (int fd), (fd), fails_on("sync", fd))
ONE(int, fdatasync, (int fd), (fd), fails_on("sync", fd))
ONE(int, rename, (const char *old, const char *new), (old, new), fails("rename", new))
ONE(int, mkdir, (const char *path, mode_t mode), (path, mode), fails("mkdir", path))
