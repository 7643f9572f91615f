// Blocks freed by another thread than made them, for counts of atomic instructions: shared-cost FUNCTIONS BATCHES.
// One thread makes a batch of BATCH blocks of 16 to 1024 bytes, the other frees it; they take turns at a barrier.
// FUNCTIONS is `remote`, `local` (the maker frees; the same turns) or `none` (nothing is allocated: what the turns cost).
// scripts/shared-cost.py runs it under callgrind.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000 };

static pthread_barrier_t turn;
static void *blocks[BATCH];
static long batches;
static int remote, local;

static void *consume(void *unused) {
    for (long i = 0; i < batches; i++) {
        pthread_barrier_wait(&turn);
        if (remote)
            for (int at = 0; at < BATCH; at++) free(blocks[at]);
        pthread_barrier_wait(&turn);
    }
    return unused;
}

int main(int count, char **words) {
    batches = count == 3 ? atol(words[2]) : 0;
    if (batches <= 0) return fprintf(stderr, "usage: shared-cost remote|local|none BATCHES\n"), 2;
    remote = !strcmp(words[1], "remote");
    local = !strcmp(words[1], "local");
    pthread_t other;
    if (pthread_barrier_init(&turn, 0, 2) || pthread_create(&other, 0, consume, 0)) return perror("shared-cost"), 1;
    unsigned long long state = 42;
    for (long i = 0; i < batches; i++) {
        for (int at = 0; at < BATCH && (remote || local); at++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            blocks[at] = malloc(16 + (unsigned)(state >> 33) % 1009);
            *(char *)blocks[at] = 1;
        }
        for (int at = 0; at < BATCH && local; at++) free(blocks[at]);
        pthread_barrier_wait(&turn);
        pthread_barrier_wait(&turn);
    }
    return pthread_join(other, 0);
}
