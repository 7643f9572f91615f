/* Forks, and posix_spawns, while other threads allocate and hand blocks over; each child allocates, starts a thread,
   trims, forks again. A child that hangs is killed by its alarm. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOLDS(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, #x); _exit(1); } } while (0)
#define SLOTS 4096
#define FORKS 150

extern char **environ;
static void *handed[SLOTS];
static volatile int stop;

static void churn(unsigned seed, int turns) {
    void *live[200] = {0};
    for (int i = 0; i < turns && !stop; i++) {
        seed = seed * 1103515245 + 12345;
        unsigned at = (seed >> 16) % 200, size = (seed >> 8) % (seed % 61 == 0 ? 2000000 : 3000);
        free(live[at]);
        live[at] = malloc(size);
        memset(live[at], 1, size < 64 ? size : 64);
        /* Blocks change threads: a swap frees what another thread allocated. */
        if (i % 3 == 0) live[at] = __atomic_exchange_n(&handed[seed % SLOTS], live[at], __ATOMIC_ACQ_REL);
    }
    for (int i = 0; i < 200; i++) free(live[i]);
}

static void *worker(void *seed) { while (!stop) churn((unsigned)(size_t)seed, 100000); return NULL; }
static void *short_worker(void *seed) { churn((unsigned)(size_t)seed, 2000); return NULL; }

static void child(int depth) {
    pthread_t t;
    alarm(30);
    churn(depth + 1, 20000);
    HOLDS(pthread_create(&t, NULL, short_worker, (void *)7) == 0);
    churn(depth + 2, 2000);
    pthread_join(t, NULL);
    for (int i = 0; i < SLOTS; i += 2) free(__atomic_exchange_n(&handed[i], NULL, __ATOMIC_ACQ_REL));
    malloc_trim(0);
    churn(depth + 3, 2000);
    if (depth == 0) {
        int status;
        pid_t pid = fork();
        if (pid == 0) child(1);
        HOLDS(waitpid(pid, &status, 0) == pid && status == 0);
    }
    _exit(0);
}

int main(void) {
    pthread_t threads[6];
    for (size_t i = 0; i < 6; i++) HOLDS(pthread_create(&threads[i], NULL, worker, (void *)(i + 1)) == 0);
    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t pid;
        if (i % 10 == 9) {
            char *args[] = {"true", NULL};
            HOLDS(posix_spawnp(&pid, "true", NULL, NULL, args, environ) == 0);
        } else if ((pid = fork()) == 0) {
            child(0);
        }
        HOLDS(waitpid(pid, &status, 0) == pid);
        if (status != 0) { fprintf(stderr, "child %d: status %#x\n", i, status); _exit(1); }
        churn(i, 500);
    }
    stop = 1;
    for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
    puts("all held");
    return 0;
}
