/* A program with an account of its own: `program serial|threads|fork|killed|signals|exits` prints what it did. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static unsigned long draw(unsigned long *seed, unsigned long below)
{
    *seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
    return (*seed >> 33) % below;
}

static void serial(unsigned long cycles)
{
    enum { SLOTS = 500 };
    static char *slot[SLOTS];
    static unsigned long size[SLOTS];
    unsigned long seed = 1, live = 0, peak = 0, calls = 0;
    for (unsigned long at = 0; at < cycles; at++) {
        unsigned long place = draw(&seed, SLOTS);
        if (!slot[place]) {
            size[place] = 1 + draw(&seed, 4000);
            slot[place] = at % 7 ? malloc(size[place]) : calloc(1, size[place]);
            live += size[place];
        } else if (at % 5 == 0) {
            live -= size[place];
            size[place] = 1 + draw(&seed, 9000);
            slot[place] = realloc(slot[place], size[place]);
            live += size[place];
        } else {
            free(slot[place]);
            slot[place] = NULL;
            live -= size[place];
        }
        calls++;
        if (live > peak)
            peak = live;
    }
    char line[100];
    int n = snprintf(line, sizeof line, "%lu %lu %lu\n", calls, peak, live);
    if (write(1, line, n) != n)
        _exit(1);
}

static void *brief(void *given)
{
    free(given);
    void *kept[20];
    for (int at = 0; at < 20; at++)
        kept[at] = malloc(100 + at);
    for (int at = 0; at < 19; at++)
        free(kept[at]);
    return kept[19];
}

static void threads(int count, int together)
{
    pthread_t *thread = malloc(together * sizeof *thread);
    for (int at = 0; at < count; at += together) {
        for (int k = 0; k < together; k++)
            if (pthread_create(&thread[k], NULL, brief, malloc(50)))
                abort();
        for (int k = 0; k < together; k++) {
            void *back;
            pthread_join(thread[k], &back);
            free(back);
        }
    }
    free(thread);
}

static void handler(int signal)
{
    (void)signal;
    free(malloc(77));
    caught++;
}

int main(int count, char **word)
{
    char *verb = count > 1 ? word[1] : "";
    if (!strcmp(verb, "serial")) {
        serial(200000);
    } else if (!strcmp(verb, "threads")) {
        threads(4000, 50);
    } else if (!strcmp(verb, "fork")) {
        free(malloc(1000));
        for (int at = 0; at < 3; at++)
            if (fork() == 0) {
                for (int k = 0; k < 100; k++)
                    free(malloc(2000 + at));
                _exit(0);
            }
        while (wait(NULL) > 0) {
        }
        free(malloc(3000));
    } else if (!strcmp(verb, "killed")) {
        for (int at = 0; at < 10000; at++)
            free(malloc(64));
        raise(SIGKILL);
    } else if (!strcmp(verb, "exits")) {
        for (int at = 0; at < 1234; at++)
            free(malloc(5555));
        _exit(7);
    } else if (!strcmp(verb, "signals")) {
        /* glibc's malloc is not made for this; a loop that does not allocate is interrupted. */
        signal(SIGALRM, handler);
        for (int at = 0; at < 200; at++) {
            int before = caught;
            ualarm(100, 0);
            while (caught == before) {
            }
            free(malloc(88));
        }
    }
    return 0;
}
