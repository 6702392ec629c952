/* Stands in for the kernel's part of fapolicyd and KySec: a program that came to the host after our start runs only if
   the list names it, as lines of `inode:birth path`; the path may be *. The time of its birth tells a file from one that
   had its inode before. Usage: exec_guard LIST */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int is_listed(const char *list, const char *name, const char *path)
{
    char listed_name[64], listed_path[PATH_MAX];
    int found = 0;
    FILE *file = fopen(list, "r");
    while (file && !found && fscanf(file, "%63s %4095s", listed_name, listed_path) == 2)
        found = !strcmp(listed_name, name) && (!strcmp(listed_path, "*") || !strcmp(listed_path, path));
    if (file)
        fclose(file);
    return found;
}

static int may_run(int fd, const char *list, time_t started)
{
    char link[64], name[64], path[PATH_MAX];
    struct statx meta;
    ssize_t length;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &meta))
        return 1;
    path[length] = 0;
    snprintf(name, sizeof name, "%llu:%lld.%09u", (unsigned long long)meta.stx_ino, (long long)meta.stx_btime.tv_sec,
             meta.stx_btime.tv_nsec);
    return meta.stx_ctime.tv_sec <= started || is_listed(list, name, path);
}

int main(int argc, char **argv)
{
    char events[8192];
    time_t started = time(NULL);
    int watch = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
    if (argc != 2 || watch < 0 || fanotify_mark(watch, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN_EXEC_PERM, AT_FDCWD, "/")) {
        perror("exec_guard");
        return 1;
    }
    for (;;) {
        ssize_t length = read(watch, events, sizeof events);
        struct fanotify_event_metadata *event = (void *)events;
        for (; FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length)) {
            struct fanotify_response answer = {event->fd, may_run(event->fd, argv[1], started) ? FAN_ALLOW : FAN_DENY};
            if (write(watch, &answer, sizeof answer) < 0)
                return 1;
            close(event->fd);
        }
    }
}
