/* What the machine itself takes for the work of a supervisor, and the programs that flood.
 *
 *   floors children COUNT              prints two times in seconds: until COUNT children run, until all are ended and reaped
 *   floors copy COUNT BYTES FOLDER     the time until COUNT writers have put BYTES each through pipes into files
 *   floors flood BYTES GATE            waits until somebody opens the named pipe GATE, writes BYTES (0: without end), stays
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 100, WRITE_BYTES = 64000, PIPE_BYTES = 1 << 20, READY_MAX = 64 };
static const long long FILE_BYTES_MAX = 50 * 1024 * 1024;

static double seconds(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void check(long result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static char *lines(void) {
    char *text = malloc(WRITE_BYTES);
    for (int i = 0; i < WRITE_BYTES; i++)
        text[i] = i % LINE_BYTES == LINE_BYTES - 1 ? '\n' : 'a' + i % 26;
    return text;
}

/* The last byte ends a line: some loggers write nothing else. */
static void write_lines(int to, long long bytes) {
    char *text = lines();
    for (bytes--; bytes > 0;) {
        long count = write(to, text, bytes < WRITE_BYTES ? bytes : WRITE_BYTES);
        if (count < 0)
            exit(1);
        bytes -= count;
    }
    check(write(to, "\n", 1), "write");
}

/* A child with pipes as its standard input and outputs. The fourth, closed on exec, says when it has become its program. */
static pid_t child(int *status) {
    int in[2], out[2], err[2], told[2];
    check(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC) | pipe2(told, O_CLOEXEC), "pipe2");
    pid_t pid = fork();
    check(pid, "fork");
    if (pid == 0) {
        setpgid(0, 0);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        execl("/bin/sleep", "sleep", "100000", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    close(told[1]);
    *status = told[0];
    return pid;
}

static void children(int count) {
    pid_t *pids = calloc(count, sizeof *pids);
    int *status = calloc(count, sizeof *status);
    double begin = seconds();
    for (int i = 0; i < count; i++)
        pids[i] = child(&status[i]);
    char byte;
    for (int i = 0; i < count; i++)
        check(read(status[i], &byte, 1), "read");
    double up = seconds();
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGTERM);
    while (wait(NULL) > 0)
        ;
    printf("%.6f %.6f\n", up - begin, seconds() - up);
}

struct copy {
    int from, to;
    long long bytes;
    int number, file;
};

static void open_file(struct copy *copy, const char *folder) {
    char path[PATH_MAX];
    if (copy->to >= 0)
        close(copy->to);
    snprintf(path, sizeof path, "%s/%d.%d", folder, copy->number, copy->file++);
    copy->to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    check(copy->to, path);
    copy->bytes = 0;
}

static void copy(int count, long long bytes, const char *folder) {
    struct copy *copies = calloc(count, sizeof *copies);
    char *buffer = malloc(PIPE_BYTES);
    int poller = epoll_create1(0), ends[2], gate[2];
    check(pipe(gate), "pipe");
    for (int i = 0; i < count; i++) {
        check(pipe2(ends, O_CLOEXEC), "pipe2");
        if (fork() == 0) {
            char byte;
            close(gate[1]);
            check(read(gate[0], &byte, 1), "read");
            write_lines(ends[1], bytes);
            _exit(0);
        }
        close(ends[1]);
        fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES);
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        copies[i] = (struct copy){.from = ends[0], .to = -1, .number = i};
        open_file(&copies[i], folder);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &copies[i]};
        check(epoll_ctl(poller, EPOLL_CTL_ADD, ends[0], &event), "epoll_ctl");
    }
    usleep(100000);
    double begin = seconds();
    close(gate[1]);
    for (int left = count; left > 0;) {
        struct epoll_event ready[READY_MAX];
        int some = epoll_wait(poller, ready, READY_MAX, -1);
        for (int i = 0; i < some; i++) {
            struct copy *one = ready[i].data.ptr;
            long got = read(one->from, buffer, PIPE_BYTES);
            if (got > 0) {
                check(write(one->to, buffer, got), "write");
                if ((one->bytes += got) >= FILE_BYTES_MAX)
                    open_file(one, folder);
            } else if (got == 0) {
                close(one->from);
                left--;
            }
        }
    }
    printf("%.6f\n", seconds() - begin);
}

static void flood(long long bytes, const char *gate) {
    check(open(gate, O_RDONLY), gate);
    write_lines(1, bytes > 0 ? bytes : LLONG_MAX);
    for (;;)
        pause();
}

int main(int count, char **words) {
    if (count == 3 && strcmp(words[1], "children") == 0)
        children(atoi(words[2]));
    else if (count == 5 && strcmp(words[1], "copy") == 0)
        copy(atoi(words[2]), atoll(words[3]), words[4]);
    else if (count == 4 && strcmp(words[1], "flood") == 0)
        flood(atoll(words[2]), words[3]);
    else
        return 2;
    return 0;
}
