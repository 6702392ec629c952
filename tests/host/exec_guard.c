/* Stands in for the kernel's part of fapolicyd and KySec: a program that came to the host after our start runs only if
   the list names it, as lines of inode and path; the path may be *. Usage: exec_guard LIST */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int is_listed(const char *list, unsigned long inode, const char *path)
{
    unsigned long listed_inode;
    char listed_path[PATH_MAX];
    int found = 0;
    FILE *file = fopen(list, "r");
    while (file && !found && fscanf(file, "%lu %4095s", &listed_inode, listed_path) == 2)
        found = listed_inode == inode && (!strcmp(listed_path, "*") || !strcmp(listed_path, path));
    if (file)
        fclose(file);
    return found;
}

static int may_run(int fd, const char *list, time_t started)
{
    char link[64], path[PATH_MAX];
    struct stat meta;
    ssize_t length;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0 || fstat(fd, &meta))
        return 1;
    path[length] = 0;
    return meta.st_ctime <= started || is_listed(list, meta.st_ino, path);
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
